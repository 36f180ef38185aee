import Glibc
import Logging
import Testing

@testable import ObjectStore

@Suite("File store: sweeping")
struct FileStoreSweepTests {
  @Test("Values that have expired are removed with their directories, others stay")
  func sweeping() async throws {
    let clock = TestClock()
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory, clock: clock)
      let keys = SampleKeys.all.filter { $0.utf8.count < 1000 }
      for key in keys { try await store.put("gone/\(key)", "x", expires: clock.now + 5) }
      try await store.put("stays", "for ever")
      try await store.put("later/key", "later", expires: clock.now + 6)
      let all = files(below: "\(directory)/values").count
      #expect(try await store.sweep() == 0)
      clock.advance(by: 5)
      #expect(files(below: "\(directory)/values").count == all)
      #expect(try await store.sweep() == all - 2)
      #expect(files(below: "\(directory)/values") == ["later/key=", "stays="])
      #expect(directories(below: "\(directory)/values") == ["later"])
      clock.advance(by: 1)
      // Also one that another process stored.
      #expect(try await fileStore(directory, clock: clock).sweep() == 1)
      #expect(files(below: "\(directory)/values") == ["stays="])
    }
  }

  @Test("A value that is written beside a sweep is not removed")
  func freshValues() async throws {
    let clock = TestClock()
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory, clock: clock)
      let sweeper = try fileStore(directory, clock: clock)
      for round in 0..<30 {
        for key in 0..<5 { try await store.put("a/\(key)", "old", expires: clock.now + 1) }
        clock.advance(by: 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { _ = try await sweeper.sweep() }
          group.addTask { _ = try await store.sweep() }
          for key in 0..<5 {
            group.addTask { try await store.put("a/\(key)", "\(round)", if: .isMissing) }
          }
          try await group.waitForAll()
        }
        for key in 0..<5 { #expect(try await store.text("a/\(key)") == "\(round)") }
      }
    }
  }

  @Test("A service that runs sweeps by itself")
  func running() async throws {
    let clock = TestClock()
    try await withTemporaryDirectory { directory in
      let configuration = FileObjectStore.Configuration(
        directory: directory, sweepInterval: .milliseconds(10))
      let store = try FileObjectStore(
        configuration, clock: clock.wallClock, logger: Logger(label: "test"))
      try await store.put("key", "x", expires: clock.now + 1)
      clock.advance(by: 1)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.run() }
        while !files(below: "\(directory)/values").isEmpty { await Task.yield() }
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  @Test("A sweep says which files are damaged, and leaves them")
  func damaged() async throws {
    let clock = TestClock()
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory, clock: clock)
      try await store.put("a/key", "x", expires: clock.now + 1)
      try await store.put("b/key", "x", expires: clock.now + 1)
      #expect(truncate("\(directory)/values/a/key=", 10) == 0)
      clock.advance(by: 1)
      #expect(try await store.sweep() == 1)
      #expect(files(below: "\(directory)/values") == ["a/key="])
    }
  }

  @Test("Directories that a killed writer left empty go")
  func emptyDirectories() async throws {
    let clock = TestClock()
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory, clock: clock)
      try await store.put("a/key", "x", expires: clock.now + 1)
      #expect(mkdir("\(directory)/values/empty", 0o700) == 0)
      #expect(mkdir("\(directory)/values/empty/below", 0o700) == 0)
      try await store.sweep()
      #expect(directories(below: "\(directory)/values") == ["a"])
    }
  }
}
