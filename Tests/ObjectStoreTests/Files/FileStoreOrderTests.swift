import Glibc
import Logging
import Testing

@testable import ObjectStore

/// What is in the directory besides values, and what is not.
@Suite("File store: order in the directory")
struct FileStoreOrderTests {
  @Test("Directories go with their last value, and nothing temporary stays")
  func emptyDirectories() async throws {
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory)
      for key in SampleKeys.all { try await store.put(key, key) }
      for key in SampleKeys.all { try await store.remove(key) }
      #expect(files(below: "\(directory)/values") == [])
      #expect(directories(below: "\(directory)/values") == [])
      #expect(files(below: "\(directory)/temporary") == [])
    }
  }

  @Test("Writers and deleters of one directory do not disturb each other")
  func directoryRaces() async throws {
    try await withTemporaryDirectory { directory in
      let stores = try [fileStore(directory), fileStore(directory)]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          let store = stores[task % 2]
          group.addTask {
            for round in 0..<200 {
              let key = "deep/er/\(task)"
              try await store.put(key, "\(round)")
              #expect(try await store.text(key) == "\(round)")
              try await store.remove(key)
              #expect(try await store.get(key) == .missing)
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(directories(below: "\(directory)/values") == [])
    }
  }

  @Test("What a refused body left is removed at once")
  func refusedBodies() async throws {
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory)
      let request = WriteRequest(length: 2_000_000)
      for size in [1_000, 1_999_999, 2_000_001] {
        #expect(
          try await store.failure(writing: "a/b", request, from: PatternSource(size: size))
            == .sourceFailed)
        #expect(files(below: "\(directory)/temporary") == [])
      }
      #expect(files(below: "\(directory)/values") == [])
      #expect(directories(below: "\(directory)/values") == [])
    }
  }

  @Test("A store that begins leaves alone what another one is writing, and takes what is left over")
  func leftovers() async throws {
    try await withTemporaryDirectory { directory in
      let left = "\(directory)/temporary/0123"
      var first: FileObjectStore? = try fileStore(directory)
      #expect(mkdir(left, 0o700) == 0)
      close(open("\(left)/file", O_WRONLY | O_CREAT, 0o600))

      let source = PatternSource(size: 1_000_000, seed: 4) { offset in
        guard offset > 900_000 else { return }
        #expect(files(below: "\(directory)/temporary").count >= 1)
        _ = try fileStore(directory)
        #expect(access(left, F_OK) != 0)
      }
      let key = try ObjectKey("key")
      if let first {
        _ = try await first.write(key, WriteRequest(length: 1_000_000), from: source)
        try await expectPattern(first, key, size: 1_000_000, seed: 4)
      }
      first = nil
      _ = try fileStore(directory)
      #expect(files(below: "\(directory)/temporary") == [])
    }
  }

  @Test("A write gives up when another process keeps a lock")
  func lockTimeout() async throws {
    try await withTemporaryDirectory { directory in
      let store = try FileObjectStore(
        FileObjectStore.Configuration(directory: directory, lockTimeout: .milliseconds(50)),
        logger: Logger(label: "test"))
      try await store.put("key", "old")
      let held = try (0..<64).map { number in
        let lock = try Descriptor("\(directory)/locks/\(number)", O_RDWR | O_CREAT)
        #expect(try lock.tryLock())
        return lock
      }
      #expect(try await failure { try await store.put("key", "new") } == .busy)
      #expect(try await failure { try await store.remove("key") } == .busy)
      // Readers need no lock.
      #expect(try await store.text("key") == "old")
      #expect(files(below: "\(directory)/temporary") == [])
      held.forEach { $0.unlock() }
      try await store.put("key", "new")
      #expect(try await store.text("key") == "new")
    }
  }

  @Test("A directory that cannot be used is said so when the store begins")
  func unusable() async throws {
    try await withTemporaryDirectory { directory in
      close(open("\(directory)/file", O_WRONLY | O_CREAT, 0o600))
      #expect(throws: ObjectStoreError.self) { try fileStore("\(directory)/file") }
      #expect(throws: ObjectStoreError.self) { try fileStore("\(directory)/file/below") }
      _ = try fileStore("\(directory)/made/with/those/above/it/")
    }
  }

  @Test("A store whose directory is gone says so when it is asked")
  func goneDirectory() async throws {
    try await withTemporaryDirectory { directory in
      let store = try fileStore("\(directory)/store")
      try await store.put("key", "value")
      try await store.check()
      #expect(rename("\(directory)/store", "\(directory)/moved") == 0)
      // What is open goes on.
      try await store.check()
      #expect(try await store.text("key") == "value")
      for name in directories(below: "\(directory)/moved/temporary") {
        #expect(rmdir("\(directory)/moved/temporary/\(name)") == 0)
      }
      #expect(try await failure { try await store.check() } == .unavailable)
      #expect(try await failure { try await store.put("key", "new") } == .unavailable)
      #expect(try await store.text("key") == "value")
    }
  }

  @Test("Directories of many values are listed page by page")
  func wideDirectory() async throws {
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory)
      let keys = (0..<3_000).map { "wide/\($0 % 2 == 0 ? "" : "x y/")\($0)" }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<8 {
          group.addTask {
            for index in stride(from: lane, to: keys.count, by: 8) {
              try await store.put(keys[index], "")
            }
          }
        }
        try await group.waitForAll()
      }
      let sorted = keys.map(Bytes.init).sorted()
      #expect(try await store.names(ListRequest(limit: 1000)).map(Bytes.init) == sorted)
      #expect(try await store.names(ListRequest(delimiter: "/")) == ["wide/"])
      let page = try await store.list(ListRequest(prefix: "wide/", after: "wide/5", limit: 7))
      #expect(
        page.entries.map(\.name).map(Bytes.init)
          == Array(sorted.drop { $0 <= Bytes("wide/5") }.prefix(7)))
    }
  }
}
