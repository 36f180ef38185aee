import Glibc
import LocalServers
import Testing

@testable import ObjectStore

@Suite("File store: processes that die")
struct FileStoreCrashTests {
  @Test("Killed at 200 random moments, each key has its old value or its new one")
  func kills() async throws {
    try await withLocalProcesses { processes in
      let leftovers = try await withThrowingTaskGroup(of: Int.self) { group in
        for lane in 0..<4 {
          group.addTask {
            // Syncs that take their time, and ones that do not.
            let parent = lane % 2 == 0 ? diskParent : processes.directory
            return try await withTemporaryDirectory(in: parent) { directory in
              try await kills(50, directory, FileStoreProcess(processes: processes), seed: lane)
            }
          }
        }
        return try await group.reduce(0, +)
      }
      // Else nothing was killed in the middle of a write.
      #expect(leftovers > 0)
    }
  }

  /// - Returns: how many temporary files the kills left.
  private func kills(
    _ count: Int, _ directory: String, _ worker: FileStoreProcess, seed: Int
  ) async throws -> Int {
    var generator = SplitMix(seed: UInt64(seed))
    var history = ChangeHistory(log: "\(directory)/log")
    var leftovers = 0
    for _ in 0..<count {
      let process = try await worker.start(
        "write", "\(directory)/store", history.log, "\(history.nextNumber)")
      try await process.line(containing: "ready")
      // The moment is what is tested: any will do.
      try await Task.sleep(for: .microseconds(Int.random(in: 0...20_000, using: &generator)))
      try await process.kill()
      leftovers += files(below: "\(directory)/store/temporary").count

      let store = try fileStore("\(directory)/store")
      #expect(files(below: "\(directory)/store/temporary") == [])
      #expect(directories(below: "\(directory)/store/temporary").count == 1)
      try history.readLog()
      for key in history.keys {
        let number = try ChangeHistory.number(in: try await store.text(key))
        #expect(history.isPossible(number, for: key), "\(key) has \(number as Int?)")
        history.settle(number, for: key)
      }
      #expect(try await store.names().allSatisfy { history.keys.contains($0) })
    }
    return leftovers
  }

  @Test("What a killed upload left goes at the next start, and the old value is there")
  func killedUpload() async throws {
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("store")
      let store = try fileStore(directory)
      try await store.put("key", "old")
      let process = try await FileStoreProcess(processes: processes).start("hold", directory, "key")
      try await process.line(containing: "holding")
      // The blocks are written by the worker's own threads, a moment later.
      while files(below: "\(directory)/temporary").isEmpty { await Task.yield() }
      _ = try fileStore(directory)
      #expect(files(below: "\(directory)/temporary").count == 1, "it lives, and so does its file")
      try await process.kill()
      _ = try fileStore(directory)
      #expect(files(below: "\(directory)/temporary") == [])
      #expect(try await store.text("key") == "old")
    }
  }
}
