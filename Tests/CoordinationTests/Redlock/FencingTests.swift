import Coordination
import LocalServers
import RESP
import RedisClient
import Testing

/// Fencing tokens grow from holder to holder, whatever the counters of the servers are.
@Suite struct FencingTests {
  private let key = NamespacedKey(namespace: "team", key: "fenced")

  @Test func tokensGrowOverServersWithDifferingCounters() async throws {
    try await withCluster(3, stores: [.patient, .patient, .patient]) { cluster in
      var random = SeededRandom(seed: 7)
      var last: UInt64 = 0
      for round in 0..<60 {
        // What failed attempts leave behind.
        let node = Int.random(in: 0..<3, using: &random)
        let step = String(Int.random(in: 0...20, using: &random))
        try await cluster.direct[node].ask("INCRBY", "_fence/\(key)", step)
        let store = cluster.stores[round % 3]
        let lease = try await store.take(key, as: .pod("a", uid: "u1"))
        #expect(lease.fencingToken > last)
        // A quorum has come to it before the holder hears of it.
        let counters = try await cluster.counters(of: key)
        #expect(counters.count(where: { $0 >= Int64(lease.fencingToken) }) >= 2, "\(counters)")
        last = lease.fencingToken
        if Bool.random(using: &random) {
          let next = try await store.extend(key, lease.token, as: .pod("a", uid: "u1"))
          let found = try #require(next.lease?.fencingToken)
          #expect(found >= last)
          last = found
        }
        _ = try await store.release(key, token: lease.token, podUID: "u1", deadline: later)
        try await cluster.waitUntilNothingIsLeft(of: key)
      }
    }
  }

  @Test func anExtensionRaisesServersThatAreBehind() async throws {
    try await withCluster(3) { cluster in
      for (node, counter) in ["3", "30", "7"].enumerated() {
        try await cluster.direct[node].ask("SET", "_fence/\(key)", counter)
      }
      let lease = try await cluster.store.take(key, as: .pod("a", uid: "u1"))
      try await cluster.spread(lease, key)
      try await cluster.direct[2].ask("SET", "_fence/\(key)", "1")
      let next = try await cluster.store.extend(
        key, lease.token, as: .pod("a", uid: "u1"), knowing: lease.fencingToken)
      #expect(next.lease?.fencingToken == lease.fencingToken)
      let token = Int64(lease.fencingToken)
      #expect(try await cluster.counters(of: key).allSatisfy { $0 >= token })
    }
  }

  @Test func aLateGrantWithAGreaterCounterMakesNobodysTokenSmaller() async throws {
    try await withCluster(3) { cluster in
      let late = try await lateGrant(cluster)
      let token = late.fencingToken
      let counter = UInt64(try await cluster.counters(of: key)[2])
      #expect(counter > token)
      // The one who knows its fencing token keeps it; the one who asks gets the greatest.
      let kept = try await cluster.store.extend(
        key, late.token, as: .pod("a", uid: "u1"), knowing: token)
      #expect(kept.lease?.fencingToken == token)
      let found = try await cluster.store.extend(key, late.token, as: .pod("a", uid: "u1"))
      #expect(found.lease?.fencingToken == counter)
      _ = try await cluster.store.release(
        key, token: late.token, podUID: "u1", deadline: later)
      try await cluster.servers[2].kill()
      #expect(try await cluster.store.take(key).fencingToken > counter)
    }
  }

  /// A lock that two servers granted before the third, whose counter is ahead, ran the command.
  private func lateGrant(_ cluster: Cluster) async throws -> LockLease {
    while true {
      try await cluster.direct[2].ask("SET", "_fence/\(key)", "1000")
      try await cluster.servers[2].pause()
      let claim = try await cluster.store.take(key)
      #expect(claim.fencingToken < 1000)
      cluster.servers[2].resume()
      #expect(await cluster.store.reachesAllServers())
      // The command may have been dropped before it was sent, as it was not needed any more.
      if try await cluster.values(of: key)[2] != nil { return claim }
      _ = try await cluster.store.release(
        key, token: claim.token, podUID: nil, deadline: later)
    }
  }

  @Test func aServerThatComesBackEmptyDoesNotTurnTheCounterBack() async throws {
    try await withCluster(3) { cluster in
      var last: UInt64 = 0
      for round in 0..<6 {
        let lease = try await cluster.store.take(key, as: .pod("a", uid: "u1"))
        #expect(lease.fencingToken > last)
        last = lease.fencingToken
        @Sendable func extend() async throws -> LockLease? {
          try await cluster.store.extend(
            key, lease.token, as: .pod("a", uid: "u1"), knowing: lease.fencingToken
          ).lease
        }
        try await cluster.spread(lease, key)
        #expect(try await extend() != nil)
        try await cluster.servers[round % 3].restart(empty: true)
        #expect(try await cluster.direct[round % 3].exists(key) == false)
        try await eventually("the lock is back on every server") {
          #expect(try await extend()?.fencingToken == lease.fencingToken)
          return try await cluster.values(of: key).allSatisfy { $0 != nil }
        }
        #expect(try await cluster.counters(of: key).allSatisfy { $0 == Int64(last) })
        #expect(
          try await cluster.store.release(
            key, token: lease.token, podUID: "u1", deadline: later))
        // The next quorum may be any two of the three.
        try await cluster.servers[(round + 1) % 3].pause()
        let next = try await cluster.store.take(key, as: .pod("b", uid: "u2"))
        #expect(next.fencingToken > last)
        last = next.fencingToken
        cluster.servers[(round + 1) % 3].resume()
        try await cluster.spread(next, key, of: .pod("b", uid: "u2"))
        _ = try await cluster.store.release(
          key, token: next.token, podUID: "u2", deadline: later)
        try await cluster.waitUntilNothingIsLeft(of: key)
      }
    }
  }
}

extension RedisClient {
  /// Once the server, which may just have started, answers.
  func exists(_ key: NamespacedKey) async throws -> Bool {
    try await eventually("the server answers") { (try? await self.ask("PING")) != nil }
    return try await ask("EXISTS", key.description).integer == 1
  }
}
