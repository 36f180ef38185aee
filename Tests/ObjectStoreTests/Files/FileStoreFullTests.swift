import Glibc
import LocalServers
import Testing

@testable import ObjectStore

@Suite("File store: no room left")
struct FileStoreFullTests {
  /// The limit for the size of files needs no rights, and is met by the same calls as a full disk.
  @Test("A value that does not fit is refused and leaves nothing")
  func limitedFiles() async throws {
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("store")
      let store = try fileStore(directory)
      try await store.put("a/key", "old")
      let worker = try await FileStoreProcess(processes: processes)
        .start("overfill", directory, "a/key", "500000")
      #expect(try await worker.waitForExit() == .exited(0))
      #expect(worker.output.contains("refused: full"), "\(worker.output)")
      #expect(files(below: "\(directory)/temporary") == [])
      #expect(try await store.text("a/key") == "old")
    }
  }

  /// `unshare` gives a file system of its own also to those who may not mount one. Where it may not
  /// either, the limit above has to do.
  @Test("On a full file system writes are refused, reads and deletions go on")
  func fullFileSystem() async throws {
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("small")
      let script = """
        if unshare -rm true 2> /dev/null
        then exec unshare -rm sh -c 'mount -t tmpfs -o size=2m none "$1" && exec "$0" crowd "$1"' "$0" "$1"
        else exec "$0" overfill "$1" key 500000
        fi
        """
      let worker = try await processes.start(
        LocalProcess.Command(
          name: "crowd", executable: "sh",
          arguments: ["-c", script, try FileStoreProcess.executable(), directory]))
      #expect(try await worker.waitForExit() == .exited(0), "\(worker.output)")
      #expect(worker.output.contains("refused: full"), "\(worker.output)")
    }
  }
}
