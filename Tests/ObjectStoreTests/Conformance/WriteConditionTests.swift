import NIOCore
import ObjectStore
import Synchronization
import Testing

@Suite("Object stores: conditions of writes")
struct WriteConditionTests {
  @Test("Create only, and compare and swap", arguments: StoreKind.allCases)
  func conditions(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let other = WriteCondition.matches(.oneOf([try #require(ETag("other"))]))
      for condition in [WriteCondition.matches(.any), other] {
        #expect(try await writing(store, "missing", condition) == .conditionFailed)
        #expect(try await deleting(store, "missing", condition) == .conditionFailed)
      }
      #expect(try await store.get("missing") == .missing)

      let first = try await store.put("key", "1", if: .isMissing)
      #expect(try await writing(store, "key", .isMissing) == .conditionFailed)
      #expect(try await writing(store, "key", other) == .conditionFailed)
      let second = try await store.put("key", "2", if: .matches(.oneOf([first.etag])))
      #expect(try await writing(store, "key", .matches(.oneOf([first.etag]))) == .conditionFailed)
      let third = try await store.put("key", "3", if: .matches(.any))
      let several = WriteCondition.matches(.oneOf([first.etag, third.etag]))
      let fourth = try await store.put("key", "4", if: several)

      #expect(try await deleting(store, "key", other) == .conditionFailed)
      #expect(try await deleting(store, "key", .matches(.oneOf([second.etag]))) == .conditionFailed)
      #expect(try await deleting(store, "key", .isMissing) == .conditionFailed)
      #expect(try await store.text("key") == "4")
      #expect(try await deleting(store, "key", .matches(.oneOf([fourth.etag]))) == nil)
      #expect(try await store.get("key") == .missing)
      #expect(try await deleting(store, "key", .none) == nil)
      #expect(try await deleting(store, "key", .isMissing) == nil)
      try await store.put("key", "5", if: .isMissing)
    }
  }

  @Test("The condition counts when the body has come", arguments: StoreKind.allCases)
  func lateCondition(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let old = try await store.put("key", "old")
      for condition in [WriteCondition.matches(.oneOf([old.etag])), .isMissing] {
        let key = condition == .isMissing ? "new" : "key"
        let source = PatternSource(size: 600_000) { offset in
          if offset == 0 { try await store.put(key, "faster") }
        }
        #expect(
          try await store.failure(
            writing: key, WriteRequest(length: nil, condition: condition), from: source)
            == .conditionFailed)
        #expect(try await store.text(key) == "faster")
      }
    }
  }

  @Test("Of racing writers exactly one creates", arguments: StoreKind.allCases)
  func racingCreators(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      for round in 0..<10 {
        let winners = try await withThrowingTaskGroup(of: String?.self) { group in
          for writer in 0..<16 {
            group.addTask {
              let value = "writer \(writer)"
              let kind = try await failure {
                try await store.put("\(round)", value, if: .isMissing)
              }
              #expect(kind == nil || kind == .conditionFailed)
              return kind == nil ? value : nil
            }
          }
          var winners: [String] = []
          for try await winner in group { if let winner { winners.append(winner) } }
          return winners
        }
        #expect(winners.count == 1)
        let stored = try await store.text("\(round)")
        #expect(stored == winners.first)
      }
    }
  }

  @Test("1,000 increments by 32 clients end at 1,000", arguments: StoreKind.allCases)
  func counter(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      try await store.put("counter", "0")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for client in 0..<32 {
          let count = client < 1000 % 32 ? 1000 / 32 + 1 : 1000 / 32
          group.addTask {
            for _ in 0..<count { try await increment(store, "counter", pause: kind.lossPause) }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await store.text("counter") == "1000")
    }
  }

  @Test("Readers beside writers see whole values", arguments: StoreKind.allCases)
  func readersBesideWriters(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let key = try ObjectKey("key")
      let sizes = [1_000, 100_000, 400_000]
      func write(_ number: Int) async throws {
        _ = try await store.write(
          key, WriteRequest(length: sizes[number % 3]),
          from: PatternSource(size: sizes[number % 3], seed: UInt64(number % 3)))
      }
      try await write(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<3 {
          group.addTask { for number in 0..<20 { try await write(writer + number) } }
        }
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<40 {
              let (size, bytes) = try await store.read(key, ReadRequest()) { answer in
                guard case .content(let info, _, let content) = answer else {
                  throw TestFault("no value: \(answer)")
                }
                var bytes = ByteBuffer()
                while var next = try await content.next() { bytes.writeBuffer(&next) }
                return (info.size, bytes)
              }
              let seed = try #require(sizes.firstIndex(of: size))
              #expect(bytes.readableBytes == size)
              #expect(Pattern.matches(bytes, from: 0, seed: UInt64(seed)))
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private func writing(
    _ store: any ObjectStore, _ key: String, _ condition: WriteCondition
  ) async throws -> ObjectStoreError.Kind? {
    try await failure { try await store.put(key, "refused", if: condition) }
  }

  private func deleting(
    _ store: any ObjectStore, _ key: String, _ condition: WriteCondition
  ) async throws -> ObjectStoreError.Kind? {
    try await failure { try await store.remove(key, if: condition) }
  }
}

/// Adds one to a number, however many others do.
///
/// - Parameter pause: see ``StoreKind/lossPause``.
func increment(_ store: any ObjectStore, _ key: String, pause: Int = 0) async throws {
  while true {
    guard let value = try await store.get(key).value, let number = Int(value.text) else {
      throw TestFault("\(key) has no number")
    }
    let condition = WriteCondition.matches(.oneOf([value.info.etag]))
    let outcome = try await failure { try await store.put(key, "\(number + 1)", if: condition) }
    switch outcome {
    case nil: return
    case .conditionFailed:
      if pause > 0 { try await Task.sleep(for: .milliseconds(Int.random(in: 0...pause))) }
    case .some(let kind): throw TestFault("\(kind)")
    }
  }
}
