import ObjectStore
import Testing

@Suite("Object stores: expiry")
struct ExpiryTests {
  @Test("From its second on a value is not there", arguments: StoreKind.allCases)
  func expiring(_ kind: StoreKind) async throws {
    let clock = TestClock()
    try await withObjectStore(kind, clock: clock) { store in
      let info = try await store.put("key", "value", expires: clock.now + 10)
      #expect(info.expires == clock.now + 10)
      try await store.put("stays", "value")
      clock.advance(by: 9)
      #expect(try await store.get("key").value?.info == info)
      clock.advance(by: 1)
      #expect(try await store.get("key") == .missing)
      #expect(try await store.head(try ObjectKey("key"), ReadRequest()) == .missing)
      let any = ReadRequest(conditions: ReadConditions(ifMatch: .any))
      #expect(try await store.get("key", any) == .conditionFailed)
      #expect(try await store.text("stays") == "value")
    }
  }

  @Test("A value that has expired counts as missing for conditions", arguments: StoreKind.allCases)
  func conditions(_ kind: StoreKind) async throws {
    let clock = TestClock()
    try await withObjectStore(kind, clock: clock) { store in
      let old = try await store.put("key", "old", expires: clock.now + 1)
      let same = WriteCondition.matches(.oneOf([old.etag]))
      clock.advance(by: 1)
      for condition in [WriteCondition.matches(.any), same] {
        #expect(
          try await failure { try await store.put("key", "new", if: condition) }
            == .conditionFailed)
        #expect(
          try await failure { try await store.remove("key", if: condition) } == .conditionFailed)
      }
      try await store.put("key", "new", if: .isMissing)
      #expect(try await store.text("key") == "new")
      clock.advance(by: 1000)
      #expect(try await store.text("key") == "new")
    }
  }

  @Test(
    "Of racing writers of the same bytes exactly one creates over an expired value",
    arguments: StoreKind.allCases)
  func racingCreators(_ kind: StoreKind) async throws {
    let clock = TestClock()
    try await withObjectStore(kind, clock: clock) { store in
      try await store.put("key", "same", expires: clock.now + 1)
      clock.advance(by: 1)
      let winners = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<16 {
          group.addTask {
            let kind = try await failure { try await store.put("key", "same", if: .isMissing) }
            #expect(kind == nil || kind == .conditionFailed)
            return kind == nil ? 1 : 0
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(winners == 1)
      #expect(try await store.text("key") == "same")
    }
  }

  @Test("A write without an expiry ends the one before", arguments: StoreKind.allCases)
  func replacing(_ kind: StoreKind) async throws {
    let clock = TestClock()
    try await withObjectStore(kind, clock: clock) { store in
      try await store.put("key", "1", expires: clock.now + 5)
      try await store.put("key", "2", expires: clock.now + 50)
      clock.advance(by: 10)
      #expect(try await store.text("key") == "2")
      try await store.put("key", "3")
      clock.advance(by: 100)
      #expect(try await store.text("key") == "3")
    }
  }
}
