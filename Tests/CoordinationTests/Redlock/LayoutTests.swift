import Coordination
import LocalServers
import RESP
import Testing

/// What lies in Redis: the layout that other installs and implementations share.
@Suite(.sharedServers) struct LayoutTests {
  private func lone() throws -> Cluster { try #require(SharedServers.one) }

  @Test func aLockIsItsKeyWithATimeToLiveBesideACounterThatOutlivesIt() async throws {
    let cluster = try lone()
    let key = NamespacedKey(namespace: "team", key: "layout")
    let lease = try await cluster.store.take(
      key, as: .pod("a", uid: "u1"), ttl: .seconds(100))
    _ = try await cluster.store.recordOpened(
      key, token: lease.token, podUID: "u1", deadline: later)
    let redis = cluster.direct[0]
    let value = try await redis.ask("GET", "team/layout").string
    #expect(value == LockRecord(token: lease.token, holder: .pod("a", uid: "u1")).text)
    let lockLife = try await redis.ask("PTTL", "team/layout").integer
    #expect((90_000...100_000).contains(try #require(lockLife)))
    let month: Int64 = 30 * 24 * 3_600_000
    #expect(try await redis.ask("GET", "_fence/team/layout").integer == 1)
    for key in ["_fence/team/layout", "_opened/team/layout/u1"] {
      let life = try #require(try await redis.ask("PTTL", key).integer)
      #expect((month - 60_000...month + 100_000).contains(life), "\(key)")
    }
    #expect(
      try await redis.ask("GET", "_opened/team/layout/u1").string == lease.token.text)
  }

  @Test func aBareTokenOfAnotherImplementationIsALock() async throws {
    let cluster = try lone()
    let store = cluster.store
    let key = NamespacedKey(namespace: "team", key: "legacy")
    try await cluster.direct[0].ask("SET", "team/legacy", "bare-token")
    let taken = try await store.acquire(key, as: .pod("a"), ttl: .seconds(9), deadline: later)
    #expect(taken.owner?.record == LockRecord(token: Token("bare-token"), holder: nil))
    #expect(taken.owner?.timeLeft == nil)
    #expect(try await store.extend(key, Token("bare"), as: .pod("a")).isNotHeld)
    let bound = try await store.extend(key, Token("bare-token"), as: .pod("a", uid: "u1"))
    #expect(bound.lease?.fencingToken == 0)
    #expect(
      try await store.release(
        key, token: Token("bare-token"), podUID: "u1", deadline: later))
    #expect(try await store.take(key).fencingToken == 1)
  }

  @Test(arguments: ["", " ", "a b c", "-", "%S+", "\u{FFFF}", "\u{0}\u{1}", "{}"])
  func whateverLiesAtTheKeyIsAnothersLock(value: String) async throws {
    let cluster = try lone()
    let key = NamespacedKey(namespace: "hostile", key: "value-\(value)")
    try await cluster.direct[0].ask("SET", key.description, value)
    #expect(
      try await cluster.store.acquire(key, as: .pod("a"), ttl: .seconds(9), deadline: later)
        .owner != nil)
    #expect(try await !cluster.store.isFree(key))
    #expect(try await cluster.store.extend(key, .random(), as: .pod("a", uid: "u1")).isNotHeld)
    let token = Token("%S+")
    if value != token.text {
      #expect(try await !cluster.store.release(key, token: token, podUID: nil, deadline: later))
    }
    #expect(try await cluster.direct[0].ask("GET", key.description).string == value)
  }

  @Test func bytesThatAreNoTextAreAnothersLock() async throws {
    let cluster = try lone()
    let key = NamespacedKey(namespace: "hostile", key: "bytes")
    try await cluster.direct[0].ask(
      "EVAL", "return redis.call('SET', KEYS[1], '\\255\\254\\0\\128 \\200')", "1",
      key.description)
    let taken = try await cluster.store.acquire(
      key, as: .pod("a"), ttl: .seconds(9), deadline: later)
    #expect(taken.owner != nil)
  }

  @Test func aCounterThatIsNoNumberDoesNotHideTheLock() async throws {
    let cluster = try lone()
    let key = NamespacedKey(namespace: "hostile", key: "counter")
    let lease = try await cluster.store.take(key, as: .pod("a", uid: "u1"))
    try await cluster.direct[0].ask("SET", "_fence/\(key)", "nonsense")
    #expect(try await cluster.store.isHeld(key, by: lease.token))
    let next = try await cluster.store.extend(
      key, lease.token, as: .pod("a", uid: "u1"), knowing: lease.fencingToken)
    #expect(next.lease?.fencingToken == lease.fencingToken)
    #expect(try await cluster.counters(of: key) == [Int64(lease.fencingToken)])
  }

  @Test func aKeyOfAnotherTypeIsNamedAndNothingIsTaken() async throws {
    let cluster = try #require(SharedServers.three)
    let key = NamespacedKey(namespace: "team", key: "list")
    for redis in cluster.direct[..<2] { try await redis.ask("LPUSH", key.description, "x") }
    let error = try await storeError {
      try await cluster.store.acquire(key, as: .pod("a"), ttl: .seconds(90), deadline: later)
    }
    #expect(error.kind == .noQuorum)
    #expect(
      Set(error.failures.map(\.member)) == Set(cluster.servers[..<2].map(\.address)))
    #expect(error.failures.allSatisfy { $0.reason.contains("WRONGTYPE") })
    try await eventually("the third server has nothing") {
      try await cluster.direct[2].ask("EXISTS", key.description).integer == 0
    }
    // One such server of three does not matter.
    try await cluster.direct[0].ask("DEL", key.description)
    let lease = try await cluster.store.take(key)
    #expect(try await cluster.store.isHeld(key, by: lease.token))
  }
}
