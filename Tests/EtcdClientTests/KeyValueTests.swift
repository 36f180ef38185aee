import EtcdClient
import LocalServers
import Testing

@Suite(.timeLimit(.minutes(5))) struct KeyValueTests {
  @Test(arguments: EtcdVersion.allCases)
  func aTransactionIsRunIfItsConditionsHold(version: EtcdVersion) async throws {
    try await withCluster(1, version) { _, client in
      let create = EtcdTransaction(
        if: [.isEmpty(.prefix("lock/"))], then: [.put("lock/a", "1")],
        else: [.range(EtcdRange(.prefix("lock/"), limit: 1, order: .createRevision))])
      let first = try await client.transaction(create, isRepeatable: true, timeout: patience)
      #expect(first.succeeded)
      #expect(!first.mayHaveRunBefore)
      let second = try await client.transaction(create, isRepeatable: true, timeout: patience)
      #expect(!second.succeeded)
      let owner = try #require(second.keyValues(at: 0).first)
      #expect(owner.keyText == "lock/a")
      #expect(owner.valueText == "1")
      #expect(owner.createRevision == first.state.revision)
      #expect(owner.lease == nil)

      // A change keeps the revision of the creation.
      let changed = try await client.transaction(
        EtcdTransaction(
          if: [.value(of: "lock/a", is: Array("1".utf8)), .exists("lock/a")],
          then: [.put("lock/a", "2"), .get("lock/a")]), isRepeatable: true, timeout: patience)
      #expect(changed.succeeded)
      #expect(changed.keyValues(at: 1).first?.createRevision == owner.createRevision)
      #expect(changed.keyValues(at: 1).first?.valueText == "2")

      let deleted = try await client.transaction(
        EtcdTransaction(then: [.delete(.prefix("lock/"))]), isRepeatable: true,
        timeout: patience)
      guard case .deleted(let count)? = deleted.results.first else {
        Issue.record("\(deleted)")
        return
      }
      #expect(count == 1)
      #expect(try await client.get("lock/a", timeout: patience) == nil)
    }
  }

  @Test(arguments: EtcdVersion.allCases)
  func rangesAreSortedLimitedAndCounted(version: EtcdVersion) async throws {
    try await withCluster(1, version) { _, client in
      for key in ["p/c", "p/a", "p/b", "q"] { try await client.put(key, "of \(key)") }
      let byKey = try await client.range(EtcdRange(.prefix("p/")), timeout: patience)
      #expect(byKey.keyValues.map(\.keyText) == ["p/a", "p/b", "p/c"])
      let byAge = try await client.range(
        EtcdRange(.prefix("p/"), limit: 2, order: .createRevision), timeout: patience)
      #expect(byAge.keyValues.map(\.keyText) == ["p/c", "p/a"])
      #expect(byAge.hasMore && byAge.count == 3)
      let newest = try await client.range(
        EtcdRange(
          .prefix("p/"), limit: 1, order: .createRevision, isDescending: true, keysOnly: true),
        timeout: patience)
      #expect(newest.keyValues.map(\.keyText) == ["p/b"])
      #expect(newest.keyValues.first?.value.isEmpty == true)
      let count = try await client.range(
        EtcdRange(.prefix(""), countOnly: true), timeout: patience)
      #expect(count.count == 4 && count.keyValues.isEmpty)
      let page = try await client.range(
        EtcdRange(.prefix("p/", after: Array("p/a".utf8))), timeout: patience)
      #expect(page.keyValues.map(\.keyText) == ["p/b", "p/c"])
      let before = try await client.range(
        EtcdRange(.key("p/c"), revision: byKey.state.revision), timeout: patience)
      #expect(before.keyValues.count == 1)
    }
  }

  @Test func bytesStayAsTheyAre() async throws {
    try await withCluster(1) { _, client in
      let key = Array(UInt8.min...UInt8.max)
      let value = Array(key.reversed())
      _ = try await client.transaction(
        EtcdTransaction(then: [.put(key: key, value: value, lease: nil)]), isRepeatable: true,
        timeout: patience)
      let result = try await client.range(EtcdRange(.key(key)), timeout: patience)
      #expect(result.keyValues.first?.key == key)
      #expect(result.keyValues.first?.value == value)
      #expect(result.keyValues.first?.keyText == nil)
      // The end of a range behind bytes that cannot be counted up.
      _ = try await client.transaction(
        EtcdTransaction(then: [.put(key: [0xFF, 0xFF, 1], value: [], lease: nil)]),
        isRepeatable: true, timeout: patience)
      let last = try await client.range(EtcdRange(.prefix([0xFF, 0xFF])), timeout: patience)
      #expect(last.keyValues.map(\.key) == [[0xFF, 0xFF, 1]])
    }
  }

  @Test func whatEtcdRefusesIsAnErrorWithoutARetry() async throws {
    try await withCluster(3) { _, client in
      let error = await #expect(throws: EtcdError.self) {
        try await client.transaction(
          EtcdTransaction(then: [.put("twice", "1"), .put("twice", "2")]), isRepeatable: true,
          timeout: patience)
      }
      #expect(error?.kind == .refused)
      #expect(error?.mayHaveRun == false)
      #expect(error?.message.contains("duplicate key") == true)
      #expect(client.failingMembers.isEmpty)
    }
  }

  @Test func anAnswerLargerThanAllowedIsAnError() async throws {
    try await withEtcdServers(count: 1) { servers in
      try await withClient(servers, configure: { $0.maximumMessageBytes = 100_000 }) { client in
        for number in 0..<3 {
          try await client.put("big/\(number)", String(repeating: "x", count: 50_000))
        }
        await #expect(throws: EtcdError.self) {
          try await client.range(EtcdRange(.prefix("big/")), timeout: .seconds(2))
        }
        #expect(try await client.value("big/0")?.count == 50_000)
      }
    }
  }

  @Test func manyCallsAtOnceAreAllAnswered() async throws {
    try await withCluster(1) { _, client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<500 { group.addTask { try await client.put("many/\(number)", "") } }
        try await group.waitForAll()
      }
      let count = try await client.range(
        EtcdRange(.prefix("many/"), countOnly: true), timeout: patience)
      #expect(count.count == 500)
    }
  }

  @Test func aCancelledCallEndsAtOnce() async throws {
    try await withCluster(1) { servers, client in
      try await client.put("key", "")
      try await servers[0].pause()
      let task = Task { try await client.get("key", timeout: patience) }
      task.cancel()
      let error = await #expect(throws: EtcdError.self) { try await task.value }
      #expect(error?.kind == .cancelled)
      try servers[0].resume()
      #expect(try await client.value("key") == "")
    }
  }
}
