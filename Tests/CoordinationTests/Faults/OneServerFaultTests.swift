import Coordination
import LocalServers
import RESP
import Testing

/// One of three servers is in trouble: no decision changes.
@Suite(.serialized) struct OneServerFaultTests {
  /// Decisions that fall with a quorum do not wait for the third server. (The time-out is as long
  /// as no busy machine is slow.)
  @Test(arguments: Fault.allCases, 0..<3)
  func decisionsFallWithoutTheThirdServer(fault: Fault, node: Int) async throws {
    let settings = RedisServer.Settings(appendOnly: true)
    let nodeTimeout = Duration.seconds(15)
    try await withCluster(3, stores: [.nodeTimeout(nodeTimeout)], settings: settings) { cluster in
      let store = cluster.store
      let free = NamespacedKey(namespace: "team", key: "free")
      let held = NamespacedKey(namespace: "team", key: "held")
      let before = try await store.take(held, as: .pod("a", uid: "u1"))
      try await cluster.spread(before, held)
      try await cluster.with(fault, at: node) {
        let start = time.now
        let lease = try await store.take(free, as: .pod("b", uid: "u2"))
        let taken = try await store.acquire(
          held, as: .pod("c"), ttl: .seconds(90), deadline: later)
        #expect(taken.owner?.record.token == before.token)
        let mine = try await store.acquire(
          free, as: .pod("c"), ttl: .seconds(90), deadline: later)
        #expect(mine.owner?.record.token == lease.token)
        #expect(
          try await store.recordOpened(held, token: before.token, podUID: "u1", deadline: later))
        try await store.check(deadline: later)
        #expect(time.now - start < nodeTimeout)
      }
    }
  }

  /// What asks all servers gives one that is silent its time and no more.
  @Test(arguments: Fault.allCases, 0..<3)
  func theHolderKeepsAndReleasesItsLock(fault: Fault, node: Int) async throws {
    let settings = RedisServer.Settings(appendOnly: true)
    let patience = RedlockStore.Configuration.nodeTimeout(.seconds(1))
    try await withCluster(3, stores: [patience], settings: settings) { cluster in
      let store = cluster.store
      let key = NamespacedKey(namespace: "team", key: "held")
      let holder = Holder.pod("a", uid: "u1")
      let lease = try await store.take(key, as: holder)
      try await cluster.spread(lease, key)
      #expect(try await store.recordOpened(key, token: lease.token, podUID: "u1", deadline: later))
      try await cluster.with(fault, at: node) {
        for knowing in [nil, lease.fencingToken] {
          let next = try await store.extend(key, lease.token, as: holder, knowing: knowing)
          #expect(next.lease?.fencingToken == lease.fencingToken)
        }
        let copy = try await store.extend(key, lease.token, as: .pod("a", uid: "u2"))
        #expect(copy.owner?.record.holder == holder)
        let snapshot = try await store.inspect(key, podUID: "u1", deadline: later)
        #expect(snapshot.owner?.record.token == lease.token)
        #expect(snapshot.isOpened)
        #expect(try await store.keys(deadline: later) == [key])
        #expect(try await store.release(key, token: lease.token, podUID: "u1", deadline: later))
        let next = try await store.take(key, as: .pod("b", uid: "u3"))
        #expect(next.fencingToken > lease.fencingToken)
      }
    }
  }

  @Test func anEmptyServerLetsNobodyInAndGetsTheLockBack() async throws {
    try await withCluster(3, stores: [.patient, .patient]) { cluster in
      let key = NamespacedKey(namespace: "team", key: "restored")
      let holder = Holder.pod("a", uid: "u1")
      let lease = try await cluster.store.take(key, as: holder)
      try await cluster.spread(lease, key)
      for node in 0..<3 {
        try await cluster.servers[node].restart(empty: true)
        try await cluster.waitUntilConnected()
        #expect(try await cluster.values(of: key)[node] == nil)
        for contender in 0..<5 {
          let result = try await cluster.stores[1].acquire(
            key, as: .pod("b-\(contender)"), ttl: .seconds(90), deadline: later)
          #expect(result.owner?.record.token == lease.token)
        }
        // The vote that a contender had there is given back.
        try await eventually("the empty server is free again") {
          try await cluster.values(of: key)[node] == nil
        }
        let next = try await cluster.store.extend(
          key, lease.token, as: holder, knowing: lease.fencingToken, isOpened: true)
        #expect(next.lease?.fencingToken == lease.fencingToken)
        let text = LockRecord(token: lease.token, holder: holder).text
        #expect(try await cluster.values(of: key) == [text, text, text])
        #expect(
          try await cluster.counters(of: key).allSatisfy { $0 >= Int64(lease.fencingToken) })
        let opened = try await cluster.direct[node].ask("GET", "_opened/\(key)/u1").string
        #expect(opened == lease.token.text)
      }
    }
  }

  @Test func aLockThatAQuorumForgotIsNotPutBack() async throws {
    try await withCluster(3) { cluster in
      let key = NamespacedKey(namespace: "team", key: "forgotten")
      let lease = try await cluster.store.take(key, as: .pod("a", uid: "u1"))
      try await cluster.spread(lease, key)
      for redis in cluster.direct[..<2] { try await redis.ask("DEL", key.description) }
      let next = try await cluster.store.extend(
        key, lease.token, as: .pod("a", uid: "u1"), knowing: lease.fencingToken)
      #expect(next.isNotHeld && next.owner == nil)
      let values = try await cluster.values(of: key)
      #expect(values[0] == nil && values[1] == nil)
    }
  }
}
