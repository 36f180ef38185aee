import Coordination
import LocalServers
import RESP
import Testing

/// What lies in Redis: the layout that other installs and implementations share.
@Suite(.sharedQueues) struct QueueLayoutTests {
  private static let day: Int64 = 24 * 3_600_000

  private func life(_ queue: QueueRedis, _ key: String) async throws -> Int64 {
    try await queue.direct.ask("PTTL", key).integer ?? 0
  }

  private func isUUID(_ text: String) -> Bool {
    let groups = text.split(separator: "-", omittingEmptySubsequences: false)
    return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
      && text.utf8.allSatisfy { "0123456789abcdef-".utf8.contains($0) }
  }

  @Test func aSemaphoreIsAListOfUUIDsBesideASortedSetOfUUIDsByUnixTime() async throws {
    let queue = try #require(SharedQueues.redis)
    let key = NamespacedKey(namespace: "team", key: "layout")
    let holder = Holder.pod("a", uid: "u1")
    _ = try await queue.store.settle(key, 2500)
    let free = try await queue.placeholders(key)
    #expect(free.count == 2500 && Set(free).count == 2500)
    #expect(free.allSatisfy(isUUID))
    #expect(try await queue.direct.ask("EXISTS", "heartbeat/team/layout").integer == 0)

    let before = try await queue.serverTime()
    let token = try #require(try await queue.store.pop(key, 2500, as: holder))
    let after = try await queue.serverTime()
    // The queue's head is used up; what it said is not handed on.
    #expect(try await queue.placeholders(key) == Array(free.dropFirst()))
    #expect(isUUID(token.text) && !free.contains(token.text))
    let score = try #require(try await queue.heartbeats(key)[token.text])
    #expect(score >= before && score <= after)
    #expect(
      try await queue.direct.ask("HGET", "holder/team/layout", token.text).string == holder.text)
    #expect(try await queue.direct.ask("HGET", "semaphore/team/layout", "length").string == "2500")
    for name in ["queue", "heartbeat", "holder", "semaphore"] {
      let life = try await life(queue, "\(name)/team/layout")
      #expect((29 * Self.day...30 * Self.day).contains(life), "\(name)")
    }

    #expect(try await queue.store.release(key, token, "u1"))
    let back = try await queue.placeholders(key)
    #expect(back.count == 2500 && back.dropLast() == free.dropFirst())
    #expect(!back.contains(token.text) && isUUID(back[2499]))
    for name in ["heartbeat", "holder", "reclaimed"] {
      #expect(try await queue.direct.ask("EXISTS", "\(name)/team/layout").integer == 0, "\(name)")
    }
    for name in ["queue", "semaphore"] {
      let life = try await life(queue, "\(name)/team/layout")
      #expect((Self.day - 3_600_000...Self.day).contains(life), "\(name)")
    }
  }

  @Test func aTombstoneSaysWhenAndGoesAway() async throws {
    let queue = try #require(SharedQueues.redis)
    let key = NamespacedKey(namespace: "team", key: "tombstone")
    func score(_ token: Token) async throws -> Double? {
      try await queue.direct.ask("ZSCORE", "reclaimed/\(key)", token.text).seconds
    }
    let token = try await queue.store.permit(key, of: 1, as: .pod("a", uid: "u1"))
    try await queue.age(key, by: .seconds(121))
    let before = try await queue.serverTime()
    #expect(try await queue.store.settle(key, 1).reclaimed == 1)
    #expect(try #require(try await score(token)) <= -before)
    #expect(try await queue.direct.ask("EXISTS", "holder/\(key)").integer == 0)
    let life = try await life(queue, "reclaimed/\(key)")
    #expect((Self.day - 3_600_000...Self.day).contains(life))
    _ = try await queue.store.pop(key, 1)
    #expect(try #require(try await score(token)) >= before)
    _ = try await queue.store.heartbeat(key, token, as: .pod("a", uid: "u1"))
    #expect(try await queue.direct.ask("EXISTS", "reclaimed/\(key)").integer == 0)
    let about = try await queue.strings("HMGET", "semaphore/\(key)", "reclaimed", "lost")
    #expect(about == ["1", "1"])
  }

  @Test func tombstonesAreBoundedInNumberAndTime() async throws {
    let queue = try #require(SharedQueues.redis)
    let store = queue.store
    let key = NamespacedKey(namespace: "team", key: "graveyard")
    let old = try await store.permit(key, of: 3000)
    try await queue.age(key, by: .seconds(121))
    _ = try await store.settle(key, 3000)
    try await queue.age(key, by: .seconds(24 * 3600))
    let tokens = try await withThrowingTaskGroup(of: Token?.self) { group in
      for _ in 0..<2200 { group.addTask { try await store.pop(key, 3000) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    try await queue.age(key, by: .seconds(121))
    #expect(try await store.settle(key, 3000).reclaimed == 2201)
    #expect(try await queue.direct.ask("ZCARD", "reclaimed/\(key)").integer == 1000)
    #expect(
      try await queue.direct.ask("ZSCORE", "reclaimed/\(key)", old.text).isNull)
    var lost = 0
    for token in tokens.prefix(50) {
      #expect(try await store.heartbeat(key, try #require(token), as: .pod("a")).isLost)
      lost += 1
    }
    #expect(try await store.counts(key).lost <= lost)
    #expect(try await store.counts(key).numbers == [3000, 3000, 0])
  }

  @Test(arguments: [SemaphoreKind.redis, .redis6])
  func whatChangesNothingWritesNothing(kind: SemaphoreKind) async throws {
    try await withQueue(settings: kind == .redis6 ? .redis6() : .init()) { queue in
      func changes() async throws -> Substring? {
        try await queue.direct.ask("INFO", "persistence").string?
          .split(whereSeparator: \.isNewline)
          .first { $0.hasPrefix("rdb_changes_since_last_save:") }
      }
      let key = NamespacedKey(namespace: "team", key: "unchanged")
      let token = try await queue.store.permit(key, of: 3, as: .pod("a", uid: "u1"))
      _ = try await queue.store.settle(key, 3)
      let before = try await changes()
      #expect(before != nil)
      for _ in 0..<10 {
        _ = try await queue.store.settle(key, 3)
        _ = try await queue.store.counts(key)
        _ = try await queue.store.permits(key)
        _ = try await queue.store.permit(key, token: token, deadline: later)
        _ = try await queue.store.release(key, token, "u2")
        _ = try await queue.store.heartbeat(key, token, as: .pod("b", uid: "u2"))
        _ = try await queue.store.pop(key, 1)
      }
      #expect(try await changes() == before)
      _ = try await queue.store.heartbeat(key, token, as: .pod("a", uid: "u1"))
      #expect(try await changes() != before)
    }
  }

  @Test func storesWithDifferentPrefixesDoNotMeet() async throws {
    try await withQueue(stores: PrefixTests.prefixes.map { .prefix($0) }) { queue in
      let key = NamespacedKey(namespace: "team", key: "a*")
      for (place, store) in queue.stores.enumerated() {
        _ = try await store.permit(key, of: place + 2)
      }
      for (place, (prefix, store)) in zip(PrefixTests.prefixes, queue.stores).enumerated() {
        #expect(try await store.counts(key).numbers == [place + 2, place + 1, 1])
        #expect(
          try await queue.direct.ask("LLEN", prefix + "queue/team/a*").integer
            == Int64(place + 1))
        #expect(try await queue.direct.ask("ZCARD", prefix + "heartbeat/team/a*").integer == 1)
        #expect(try await store.keys(deadline: later) == [key], "\(prefix)")
      }
    }
  }

  @Test(arguments: ["queue", "heartbeat"])
  func aKeyOfAnotherTypeIsNamedAndNothingIsTaken(name: String) async throws {
    let queue = try #require(SharedQueues.redis)
    let key = NamespacedKey(namespace: "hostile", key: name)
    _ = try await queue.store.settle(key, 3)
    try await queue.direct.ask("DEL", "\(name)/\(key)")
    try await queue.direct.ask("SET", "\(name)/\(key)", "x")
    for error in [
      try await storeError { try await queue.store.settle(key, 3) },
      try await storeError { try await queue.store.pop(key, 3) },
      try await storeError { try await queue.store.counts(key) },
    ] {
      #expect(error.kind == .noQuorum && error.members == 1)
      #expect(error.failures.map(\.member) == [queue.server.address])
      #expect(error.description.contains("WRONGTYPE") && error.description.contains("\(key)"))
    }
    try await queue.direct.ask("DEL", "\(name)/\(key)")
    #expect(try await queue.store.settle(key, 3).numbers == [3, 3, 0])
  }

  @Test(arguments: ["", " ", "x", "- x", "-", "u1", "u1 {", "{}", "\u{0}"])
  func aHolderThatIsNoHolderIsNobody(text: String) async throws {
    let queue = try #require(SharedQueues.redis)
    let key = NamespacedKey(namespace: "hostile", key: "holder-\(text)")
    let token = try await queue.store.permit(key, of: 1)
    try await queue.direct.ask("HSET", "holder/\(key)", token.text, text)
    #expect(try await queue.store.counts(key).oldest?.holder == nil)
    #expect(try await queue.store.permits(key).map(\.holder) == [nil])
    #expect(try await queue.store.permits(key).map(\.token) == [token])
  }

  @Test(arguments: [SemaphoreKind.redis, .redis6])
  func aServerThatForgotTheScriptsGetsThemAgain(kind: SemaphoreKind) async throws {
    try await withQueue(settings: kind == .redis6 ? .redis6() : .init()) { queue in
      let key = NamespacedKey(namespace: "team", key: "flushed")
      func flush() async throws { try await queue.direct.ask("SCRIPT", "FLUSH") }
      for _ in 0..<3 {
        try await flush()
        _ = try await queue.store.settle(key, 2)
        try await flush()
        let token = try #require(try await queue.store.pop(key, 2))
        try await flush()
        #expect(try await queue.store.heartbeat(key, token, as: .pod("a")) == .alive)
        try await flush()
        #expect(try await queue.store.counts(key).numbers == [2, 1, 1])
        try await flush()
        #expect(try await queue.store.isInFlight(key, token))
        try await flush()
        #expect(try await queue.store.permits(key).count == 1)
        try await flush()
        #expect(try await queue.store.release(key, token))
      }
    }
  }

  @Test func aServerThatMayForgetIsNamed() async throws {
    let settings = RedisServer.Settings(arguments: ["--maxmemory-policy", "allkeys-lru"])
    try await withQueue(settings: settings) { queue in
      let findings = await queue.store.findings(deadline: later)
      #expect(findings.count == 2)
      #expect(findings.allSatisfy { $0.contains(queue.server.address) })
      #expect(findings[0].contains("appendfsync always"))
      #expect(findings[1].contains("noeviction"))
    }
    try await withQueue(settings: .init(appendOnly: true)) { queue in
      #expect(await queue.store.findings(deadline: later).isEmpty)
    }
  }

  @Test func tokensAreUUIDsOfVersion4() {
    var random = SeededRandom(seed: 1)
    let tokens = (0..<1000).map { _ in Token.uuid(using: &random).text }
    #expect(Set(tokens).count == 1000)
    #expect(tokens.allSatisfy(isUUID))
    #expect(tokens.allSatisfy { Array($0)[14] == "4" && "89ab".contains(Array($0)[19]) })
    // Every other digit takes every value.
    for place in [0, 7, 9, 15, 17, 20, 24, 35] {
      #expect(Set(tokens.map { Array($0)[place] }).count == 16)
    }
  }
}
