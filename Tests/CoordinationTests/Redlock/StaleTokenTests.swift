import LocalServers
import RESP
import RedisClient
import Testing

@testable import Coordination

/// A token that is left on a minority does not weaken the lock of the one who has the quorum.
@Suite(.serialized) struct StaleTokenTests {
  private let key = NamespacedKey(namespace: "team", key: "stale")
  private let clock = ShiftedTime()

  private func extend(
    _ cluster: Cluster, _ lease: LockLease, isOpened: Bool = false
  ) async throws -> LockLease? {
    try await cluster.store.extend(
      key, .init(token: lease.token, fencingToken: lease.fencingToken, isOpened: isOpened),
      as: .pod("b", uid: "u2"), ttl: .seconds(300), deadline: clock.now + .seconds(60)
    ).lease
  }

  private func take(_ cluster: Cluster) async throws -> LockLease {
    let acquisition = try await cluster.store.acquire(
      key, as: .pod("b", uid: "u2"), ttl: .seconds(300), deadline: clock.now + .seconds(60))
    return try #require(acquisition.lease)
  }

  private func passAttempts() {
    clock.advance(by: RedlockStore.Configuration.patient.attemptTime)
  }

  @Test func aLockFromBeforeARestartDoesNotCostTheNextHolderItsQuorum() async throws {
    try await withRedisServers(count: 3, settings: .init(appendOnly: true)) { servers in
      // Its store ends with the holder, so that nobody tells the third server.
      let first = try await withStores(on: servers) { cluster in
        let lease = try await cluster.store.take(key, as: .pod("a", uid: "u1"))
        try await cluster.spread(lease, key)
        try await servers[2].kill()
        #expect(
          try await cluster.store.release(key, token: lease.token, podUID: "u1", deadline: later))
        return lease
      }
      try await servers[2].restart()
      try await withStores(on: servers, clock: clock) { cluster in
        #expect(try await cluster.values(of: key)[2]?.hasPrefix(first.token.text) == true)
        let lease = try await take(cluster)
        #expect(lease.fencingToken > first.fencingToken)
        // It might be the vote of an attempt that is still being counted.
        #expect(try await extend(cluster, lease) != nil)
        #expect(try await cluster.values(of: key)[2]?.hasPrefix(first.token.text) == true)
        passAttempts()
        #expect(try await extend(cluster, lease, isOpened: true) != nil)
        let text = LockRecord(token: lease.token, holder: .pod("b", uid: "u2")).text
        #expect(try await cluster.values(of: key) == [text, text, text])
        #expect(try await cluster.counters(of: key)[2] >= Int64(lease.fencingToken))

        try await servers[1].kill()
        #expect(try await extend(cluster, lease)?.fencingToken == lease.fencingToken)
        let other = try await cluster.store.acquire(
          key, as: .pod("c"), ttl: .seconds(90), deadline: clock.now + .seconds(60))
        #expect(other.owner?.record.token == lease.token)
      }
    }
  }

  @Test func aTokenThatCameSinceIsNotReplaced() async throws {
    try await withRedisServers(count: 3) { servers in
      try await withStores(on: servers, clock: clock) { cluster in
        let redis = cluster.direct[2]
        try await redis.ask("SET", key.description, "old")
        let lease = try await take(cluster)
        #expect(try await extend(cluster, lease) != nil)
        passAttempts()
        for fresh in ["fresh", "fresher"] {
          try await redis.ask("SET", key.description, fresh)
          #expect(try await extend(cluster, lease) != nil)
          #expect(try await redis.ask("GET", key.description).string == fresh)
        }
        // What was old once and comes again is not older for it.
        try await redis.ask("SET", key.description, "old")
        #expect(try await extend(cluster, lease) != nil)
        #expect(try await redis.ask("GET", key.description).string == "old")
      }
    }
  }

  @Test func aTokenIsStaleOnceItIsKnownForLongEnough() {
    var strays = StrayTokens()
    func see(_ tokens: String..., at now: Duration) -> Set<String> {
      let settled = strays.see(
        Set(tokens.map(Token.init)), of: key, start: now, now: now + .seconds(1),
        settling: .seconds(5))
      return Set(settled.map(\.text))
    }
    #expect(see("a", at: .seconds(0)) == [])
    // Known since 1 s, when the answers were there.
    #expect(see("a", "b", at: .seconds(5)) == [])
    #expect(see("a", "b", at: .seconds(6)) == ["a"])
    #expect(see("b", at: .seconds(11)) == ["b"])
    #expect(see("a", at: .seconds(100)) == [])
    #expect(see(at: .seconds(200)) == [])
    #expect(see("a", at: .seconds(300)) == [])
  }

  @Test func everyServerWithTheLockGetsTheRecordOfHavingOpened() async throws {
    try await withRedisServers(count: 3) { servers in
      try await withStores(on: servers, clock: clock) { cluster in
        let lease = try await take(cluster)
        try await eventually("every server has the lock") {
          _ = try await extend(cluster, lease)
          return try await cluster.values(of: key).allSatisfy { $0 != nil }
        }
        func records() async throws -> [String?] {
          var records: [String?] = []
          for redis in cluster.direct {
            records.append(try await redis.ask("GET", "_opened/\(key)/u2").string)
          }
          return records
        }
        #expect(try await records() == [nil, nil, nil])
        try await cluster.direct[0].ask("SET", "_opened/\(key)/u2", lease.token.text)
        #expect(try await extend(cluster, lease, isOpened: true) != nil)
        #expect(try await records().allSatisfy { $0 == lease.token.text })
        for redis in cluster.direct {
          let life = try await redis.ask("PTTL", "_opened/\(key)/u2").integer
          #expect(try #require(life) > 29 * 24 * 3_600_000)
        }
      }
    }
  }
}
