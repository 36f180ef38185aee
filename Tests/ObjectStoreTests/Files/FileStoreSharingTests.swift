import LocalServers
import Testing

@testable import ObjectStore

@Suite("File store: one directory for several processes")
struct FileStoreSharingTests {
  @Test("Two processes that compare and swap lose nothing")
  func counter() async throws {
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("store")
      let store = try fileStore(directory)
      try await store.put("counter", "0")
      let worker = FileStoreProcess(processes: processes)
      let running = [
        try await worker.start("increment", directory, "counter", "200"),
        try await worker.start("increment", directory, "counter", "200"),
      ]
      for _ in 0..<200 { try await increment(store, "counter") }
      for process in running { #expect(try await process.waitForExit() == .exited(0)) }
      #expect(try await store.text("counter") == "600")
      #expect(files(below: "\(directory)/temporary") == [])
    }
  }
}
