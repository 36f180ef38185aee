import NIOCore
import ObjectStore
import Testing

@Suite("Object stores: writing")
struct WritingTests {
  @Test("A write replaces the value and what is known of it", arguments: StoreKind.allCases)
  func replacing(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let first = try await store.put("key", "a longer value", type: "text/one")
      let second = try await store.put("key", "short")
      #expect(second.contentType == nil)
      #expect(first.etag != second.etag)
      #expect(
        try await store.get("key")
          == .value(StoredValue(info: second, part: .whole, text: "short")))
      #expect(try await store.names() == ["key"])
    }
  }

  @Test("Bodies of any division arrive whole", arguments: StoreKind.allCases, [true, false])
  func divisions(_ kind: StoreKind, lengthIsKnown: Bool) async throws {
    try await withObjectStore(kind) { store in
      let key = try ObjectKey("key")
      for size in [1, 8_000, 65_536, 262_144, 262_145, 1_000_000] {
        for pieceSize in [1_000, 262_144, 700_000] {
          var pieces: [ByteBuffer] = []
          for offset in stride(from: 0, to: size, by: pieceSize) {
            var piece = ByteBuffer()
            Pattern.append(min(pieceSize, size - offset), from: offset, seed: 3, to: &piece)
            pieces.append(piece)
          }
          let info = try await store.write(
            key, WriteRequest(length: lengthIsKnown ? size : nil), from: PiecesSource(pieces))
          #expect(info.size == size)
          try await expectPattern(store, key, size: size, seed: 3)
        }
      }
    }
  }

  @Test("A body that is not what was announced leaves the old value", arguments: StoreKind.allCases)
  func refusedBodies(_ kind: StoreKind) async throws {
    let size = 700_000
    try await withObjectStore(kind) { store in
      let old = try await store.put("key", "old")
      let breaking = { (offset: Int) throws in
        if offset > 600_000 { throw TestFault("reset by peer") }
      }
      let whole = { PatternSource(size: size) as any ObjectSource }
      let broken = { PatternSource(size: size, before: breaking) as any ObjectSource }
      let cases: [(WriteRequest, () -> any ObjectSource, ObjectStoreError.Kind)] = [
        (WriteRequest(length: size + 1), whole, .sourceFailed),
        (WriteRequest(length: size - 1), whole, .sourceFailed),
        (WriteRequest(length: 1), { PiecesSource("") }, .sourceFailed),
        (WriteRequest(length: 0), { PiecesSource("x") }, .sourceFailed),
        (WriteRequest(length: nil, maximumLength: size - 1), whole, .tooLarge),
        (WriteRequest(length: size), broken, .sourceFailed),
        (WriteRequest(length: nil), broken, .sourceFailed),
      ]
      for (request, source, kind) in cases {
        for key in ["key", "new"] {
          #expect(
            try await store.failure(writing: key, request, from: source()) == kind, "\(request)")
        }
      }
      #expect(
        try await store.get("key") == .value(StoredValue(info: old, part: .whole, text: "old")))
      #expect(try await store.names() == ["key"])
      let exact = WriteRequest(length: nil, maximumLength: size)
      #expect(
        try await store.failure(writing: "key", exact, from: PatternSource(size: size)) == nil)
    }
  }

  @Test(
    "A write that is cancelled in the middle leaves the old value",
    arguments: StoreKind.allCases, [1_000, 2_000_000])
  func cancellation(_ kind: StoreKind, after count: Int) async throws {
    try await withObjectStore(kind) { store in
      try await store.put("key", "old")
      let kind = try await failure {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            let source = PatternSource(size: 4_000_000) { offset in
              guard offset >= count else { return }
              // As a client that sends nothing more, until somebody gives up on it.
              withUnsafeCurrentTask { $0?.cancel() }
              try await Task.sleep(for: .seconds(600))
            }
            _ = try await store.write(
              try ObjectKey("key"), WriteRequest(length: nil), from: source)
          }
          try await group.waitForAll()
        }
      }
      #expect(kind == .cancelled)
      #expect(try await store.text("key") == "old")
      try await store.put("key", "new")
      #expect(try await store.text("key") == "new")
    }
  }

  @Test("What has been cancelled does nothing", arguments: StoreKind.allCases)
  func cancelledBefore(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      try await store.put("key", "old")
      let key = try ObjectKey("key")
      let calls: [@Sendable () async throws -> Void] = [
        { try await store.put("key", "new") },
        { try await store.delete(key, if: .none) },
        { _ = try await store.list(ListRequest()) },
        { _ = try await store.head(key, ReadRequest()) },
        { _ = try await store.get("key") },
      ]
      for call in calls {
        let kind = try await failure {
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              withUnsafeCurrentTask { $0?.cancel() }
              try await call()
            }
            try await group.waitForAll()
          }
        }
        #expect(kind == .cancelled)
      }
      #expect(try await store.text("key") == "old")
    }
  }

  @Test("A large value goes in and out", arguments: StoreKind.allCases)
  func large(_ kind: StoreKind) async throws {
    let size = kind.largeSize
    try await withObjectStore(kind) { store in
      let key = try ObjectKey("large")
      let info = try await store.write(
        key, WriteRequest(length: size), from: PatternSource(size: size, seed: 9))
      #expect(info.size == size)
      try await expectPattern(store, key, size: size, seed: 9)
      try await store.delete(key, if: .none)
    }
  }

  @Test("The store finds itself at work", arguments: StoreKind.allCases)
  func check(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      try await store.check()
      #expect(try await store.names() == [])
    }
  }
}

/// Expects a key to have a value of a ``PatternSource``.
func expectPattern(
  _ store: any ObjectStore, _ key: ObjectKey, size: Int, seed: UInt64
) async throws {
  try await store.read(key, ReadRequest()) { answer in
    guard case .content(let info, .whole, let content) = answer else {
      Issue.record("no value: \(answer)")
      return
    }
    #expect(info.size == size)
    var offset = 0
    while let bytes = try await content.next() {
      guard Pattern.matches(bytes, from: offset, seed: seed) else {
        Issue.record("other bytes behind \(offset)")
        return
      }
      offset += bytes.readableBytes
    }
    #expect(offset == size)
  }
}
