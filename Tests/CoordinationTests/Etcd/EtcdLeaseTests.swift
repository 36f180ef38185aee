import EtcdClient
import LocalServers
import Testing

@testable import Coordination

@Suite(.timeLimit(.minutes(5))) struct EtcdLeaseTests {
  private let key = NamespacedKey(namespace: "team", key: "leased")

  /// etcd does not grant less than an election may take. What it grants counts, in both directions.
  @Test func theServersTTLCounts() async throws {
    let settings = EtcdServer.Settings(heartbeatMilliseconds: 400)
    try await withEtcdStore(1, settings: settings) { _, store in
      let start = time.now
      let lease = try await store.take(key, as: .pod("a", uid: "u1"), ttl: .seconds(1))
      #expect(lease.validUntil > start + .seconds(2))
      let next = try await store.extend(
        key, lease.token, as: .pod("a", uid: "u1"), ttl: .seconds(1))
      let extended = try #require(next.lease)
      #expect(extended.validUntil > lease.validUntil)
      try await eventually("the lock frees itself") { try await store.isFree(key) }
      #expect(time.now >= extended.validUntil)
      #expect(try await store.extend(key, lease.token, as: .pod("a", uid: "u1")).isNotHeld)
    }
  }

  @Test func claimsShareALeaseButNeverForTheSameKey() async throws {
    try await withEtcdStore(1) { servers, store in
      var tokens: Set<Token> = []
      for _ in 0..<10 {
        let claim = try await store.take(key)
        #expect(tokens.insert(claim.token).inserted)
        #expect(try await store.release(key, token: claim.token, podUID: nil, deadline: later))
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<200 {
          group.addTask { _ = try await store.take(.init(namespace: "team", key: "\(number)")) }
        }
        try await group.waitForAll()
      }
      let leases = try await servers[0].etcdctl("lease", "list").count
      #expect(leases < 100)
      // One's end is not another's.
      let two = NamespacedKey(namespace: "team", key: "1")
      let claim = try await store.take(.init(namespace: "team", key: "more"))
      _ = try await store.extend(
        .init(namespace: "team", key: "more"), claim.token, as: .pod("a", uid: "u1"))
      #expect(
        try await store.release(
          .init(namespace: "team", key: "more"), token: claim.token, podUID: "u1", deadline: later))
      #expect(try await !store.isFree(two))
    }
  }

  @Test func aShorterTTLIsALeaseOfItsOwn() async throws {
    try await withEtcdStore(1) { servers, store in
      let lease = try await store.take(key, as: .pod("a", uid: "u1"), ttl: .seconds(300))
      let short = try await store.extend(
        key, lease.token, as: .pod("a", uid: "u1"), ttl: .seconds(20))
      #expect(try #require(short.lease).validUntil < time.now + .seconds(21))
      #expect(short.lease?.fencingToken == lease.fencingToken)
      let owner = try await store.inspect(key, podUID: nil, deadline: later).owner
      #expect(try #require(owner?.timeLeft) <= .seconds(20))
      try await eventually("the old lease is gone") {
        try await servers[0].etcdctl("lease", "list").count == 2
      }
      // Another process, such as a sidecar that was restarted, goes on with it.
      try await withEtcdStore(on: servers) { other in
        let next = try await other.extend(
          key, lease.token, as: .pod("a", uid: "u1"), ttl: .seconds(20))
        #expect(next.lease?.fencingToken == lease.fencingToken)
      }
    }
  }

  @Test func anApplicationsRecordOutlivesItsLock() async throws {
    try await withEtcdStore(1) { servers, store in
      let lease = try await store.take(key, as: .pod("a", uid: "u1"))
      #expect(try await store.recordOpened(key, token: lease.token, podUID: "u1", deadline: later))
      _ = try await store.extend(key, lease.token, as: .pod("a", uid: "u1"), isOpened: true)
      try await servers[0].etcdctl("del", lease.token.text)
      let late = try await store.extend(key, lease.token, as: .pod("a", uid: "u1"), isOpened: true)
      #expect(late.isNotHeld && late.owner == nil)
      #expect(try await store.inspect(key, podUID: "u1", deadline: later).isOpened)
      try await store.forgetOpened(key, podUID: "u1", deadline: later)
      #expect(try await !store.inspect(key, podUID: "u1", deadline: later).isOpened)
      try await eventually("nothing is left") {
        try await servers[0].etcdctl("get", "--prefix", "").isEmpty
      }
    }
  }

  /// An attempt whose answer was lost does not lock anybody out, and does not come true later.
  @Test func anAttemptThatWasGivenUpIsVoid() async throws {
    try await withEtcdStore(1) { servers, store in
      let first = try await store.take(key)
      #expect(try await store.release(key, token: first.token, podUID: nil, deadline: later))
      try await servers[0].pause()
      let error = try await storeError {
        try await store.acquire(
          key, as: .pod("b"), ttl: .seconds(300), deadline: time.now + .milliseconds(300))
      }
      #expect(error.kind == .noQuorum)
      try servers[0].resume()
      try await eventually("the lock is granted") {
        try await store.acquire(key, as: .pod("c"), ttl: .seconds(300), deadline: later)
          .lease != nil
      }
    }
  }

  @Test func aVoidAttemptIsNotRunAnyMore() async throws {
    try await withEtcdStore(1) { servers, store in
      try await withEtcdClient(servers) { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          defer { group.cancelAll() }
          group.addTask { try await client.run() }
          let grant = try await client.grantLease(ttl: .seconds(300), timeout: .seconds(60))
          let attempt = EtcdLockStore.Attempt(
            keys: EtcdLockKeys(prefix: "", key: key),
            lease: LeasePool.Lease(lease: grant.lease, start: time.now, ttl: grant.ttl),
            hasOwnLease: false, nonce: .random(), holder: .pod("ghost"))
          try await store.void(attempt, timeout: .seconds(60))
          let late = try await client.transaction(
            attempt.transaction, isRepeatable: true, timeout: .seconds(60))
          #expect(!late.succeeded)
          #expect(try await store.isFree(key))
        }
      }
    }
  }
}
