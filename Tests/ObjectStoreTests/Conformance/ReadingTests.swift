import NIOCore
import ObjectStore
import Testing

@Suite("Object stores: reading")
struct ReadingTests {
  @Test("A read gives the bytes and what is known of them", arguments: StoreKind.allCases)
  func whole(_ kind: StoreKind) async throws {
    let clock = TestClock()
    try await withObjectStore(kind, clock: clock) { store in
      let written = try await store.put("key", "hello", type: "text/plain; charset=utf-8")
      #expect(written.size == 5)
      #expect(written.contentType == "text/plain; charset=utf-8")
      #expect(written.expires == nil)
      let value = try #require(try await store.get("key").value)
      #expect(value.text == "hello")
      #expect(value.part == .whole)
      #expect(value.info == written)
      #expect(
        try await store.head(try ObjectKey("key"), ReadRequest()) == .content(written, .whole))
    }
  }

  @Test("A key without a value is missing", arguments: StoreKind.allCases)
  func missing(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      try await store.put("a/b", "below")
      for key in ["a", "a/", "a/b/c", "b"] {
        #expect(try await store.get(key) == .missing)
        #expect(try await store.head(try ObjectKey(key), ReadRequest()) == .missing)
      }
      // Only `If-Match` asks for a value (RFC 9110, section 13.1.1).
      for conditions in [ReadConditions(ifNoneMatch: .any), ReadConditions(ifUnmodifiedSince: 0)] {
        #expect(try await store.get("a", ReadRequest(conditions: conditions)) == .missing)
      }
      let any = ReadRequest(conditions: ReadConditions(ifMatch: .any))
      #expect(try await store.get("a", any) == .conditionFailed)
      #expect(try await store.head(try ObjectKey("a"), any) == .conditionFailed)
    }
  }

  @Test("An empty value is a value", arguments: StoreKind.allCases)
  func empty(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let info = try await store.put("key", "", type: "text/x")
      #expect(info.size == 0)
      #expect(
        try await store.get("key") == .value(StoredValue(info: info, part: .whole, text: "")))
      for range in [ByteRangeRequest.from(0), .closed(0...0), .suffix(1), .suffix(0)] {
        #expect(try await store.get("key", ReadRequest(range: range)) == .unsatisfiable(info))
      }
      #expect(try await store.names() == ["key"])
    }
  }

  @Test("A range gives its bytes", arguments: StoreKind.allCases)
  func ranges(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let info = try await store.put("key", "0123456789")
      let cases: [(ByteRangeRequest, Range<Int>?)] = [
        (.from(0), 0..<10), (.from(9), 9..<10), (.from(10), nil), (.from(.max), nil),
        (.closed(0...0), 0..<1), (.closed(2...5), 2..<6), (.closed(5...100), 5..<10),
        (.closed(9...Int.max), 9..<10), (.closed(10...20), nil),
        (.suffix(1), 9..<10), (.suffix(10), 0..<10), (.suffix(1000), 0..<10), (.suffix(0), nil),
      ]
      for (range, expected) in cases {
        let request = ReadRequest(range: range)
        let outcome = try await store.get("key", request)
        let head = try await store.head(try ObjectKey("key"), request)
        guard let expected else {
          #expect(outcome == .unsatisfiable(info), "\(range)")
          #expect(head == .unsatisfiable(info), "\(range)")
          continue
        }
        let text = String(Array("0123456789")[expected])
        #expect(
          outcome == .value(StoredValue(info: info, part: .range(expected), text: text)),
          "\(range)")
        #expect(head == .content(info, .range(expected)), "\(range)")
      }
    }
  }

  @Test("Ranges of a value of many pieces fit together", arguments: StoreKind.allCases)
  func largeRanges(_ kind: StoreKind) async throws {
    let size = 1_500_000
    try await withObjectStore(kind) { store in
      let key = try ObjectKey("key")
      _ = try await store.write(
        key, WriteRequest(length: size), from: PatternSource(size: size, seed: 5))
      for start in [0, 1, 7_000, 8_191, 65_536, 262_143, 1_000_000, size - 1] {
        for count in [1, 60_000, 65_536, 70_000, size] {
          let range = start..<min(size, start + count)
          let request = ReadRequest(range: .closed(start...(range.upperBound - 1)))
          try await store.read(key, request) { answer in
            guard case .content(_, .range(range), let content) = answer else {
              Issue.record("no range \(range): \(answer)")
              return
            }
            var offset = start
            while let bytes = try await content.next() {
              #expect(Pattern.matches(bytes, from: offset, seed: 5), "\(range) at \(offset)")
              offset += bytes.readableBytes
            }
            #expect(offset == range.upperBound)
          }
        }
      }
    }
  }

  @Test("A reader keeps the version that it began with", arguments: StoreKind.allCases)
  func oneVersion(_ kind: StoreKind) async throws {
    let size = 2_000_000
    try await withObjectStore(kind) { store in
      let key = try ObjectKey("key")
      _ = try await store.write(
        key, WriteRequest(length: size), from: PatternSource(size: size, seed: 1))
      for change in ["replaced", "deleted"] {
        try await store.read(key, ReadRequest()) { answer in
          guard case .content(_, _, let content) = answer else {
            Issue.record("not there: \(answer)")
            return
          }
          var offset = 0
          while let bytes = try await content.next() {
            #expect(Pattern.matches(bytes, from: offset, seed: 1), "\(change), at \(offset)")
            if offset == 0, change == "deleted" {
              try await store.delete(key, if: .none)
            } else if offset == 0 {
              _ = try await store.write(
                key, WriteRequest(length: size), from: PatternSource(size: size, seed: 2))
              _ = try await store.write(
                key, WriteRequest(length: size), from: PatternSource(size: size, seed: 1))
            }
            offset += bytes.readableBytes
          }
          #expect(offset == size)
        }
      }
    }
  }

  @Test("A reader may stop in the middle", arguments: StoreKind.allCases)
  func stopping(_ kind: StoreKind) async throws {
    let size = 3_000_000
    try await withObjectStore(kind) { store in
      let key = try ObjectKey("key")
      _ = try await store.write(key, WriteRequest(length: size), from: PatternSource(size: size))
      for count in [0, 1, 3] {
        try await store.read(key, ReadRequest()) { answer in
          guard case .content(_, _, let content) = answer else { return }
          for _ in 0..<count { _ = try await content.next() }
        }
        await #expect(throws: TestFault.self) {
          try await store.read(key, ReadRequest()) { _ in throw TestFault("the client is gone") }
        }
      }
      try await expectPattern(store, key, size: size, seed: 0)
    }
  }

  @Test("A read that is cancelled ends", arguments: StoreKind.allCases)
  func cancellation(_ kind: StoreKind) async throws {
    let size = 3_000_000
    try await withObjectStore(kind) { store in
      let key = try ObjectKey("key")
      _ = try await store.write(key, WriteRequest(length: size), from: PatternSource(size: size))
      let kind = try await failure {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            try await store.read(key, ReadRequest()) { answer in
              guard case .content(_, _, let content) = answer else { return }
              _ = try await content.next()
              withUnsafeCurrentTask { $0?.cancel() }
              while try await content.next() != nil {}
            }
          }
          try await group.waitForAll()
        }
      }
      #expect(kind == .cancelled)
    }
  }
}
