import Coordination
import LocalServers
import RESP
import Testing

/// Too few servers answer: an error in time, and nothing stays taken.
@Suite(.serialized) struct NoQuorumTests {
  private let key = NamespacedKey(namespace: "team", key: "undecided")

  @Test(arguments: [Fault.killed, .paused])
  func twoServersDownAreNamed(fault: Fault) async throws {
    let settings = RedisServer.Settings(appendOnly: true)
    let patience = RedlockStore.Configuration.nodeTimeout(.seconds(1))
    try await withCluster(3, stores: [patience], settings: settings) { cluster in
      let held = NamespacedKey(namespace: "team", key: "held")
      let lease = try await cluster.store.take(held, as: .pod("a", uid: "u1"))
      try await cluster.with(fault, at: 0) {
        try await cluster.with(fault, at: 1) {
          let down = Set(cluster.servers[..<2].map(\.address))
          func check(
            _ key: NamespacedKey?, _ body: (Duration) async throws -> some Any
          ) async throws {
            let deadline = time.now + .seconds(30)
            let error = try await storeError { try await body(deadline) }
            #expect(time.now < deadline)
            #expect(error.kind == .noQuorum)
            #expect(error.key == key)
            #expect(error.quorum == 2 && error.members == 3)
            #expect(Set(error.failures.map(\.member)) == down)
            #expect(down.allSatisfy { error.description.contains($0) })
          }
          let store = cluster.store
          try await check(key) {
            try await store.acquire(key, as: .pod("b"), ttl: .seconds(300), deadline: $0)
          }
          try await check(held) {
            try await store.acquire(held, as: .pod("b"), ttl: .seconds(300), deadline: $0)
          }
          try await check(held) {
            try await store.extend(
              held, .init(token: lease.token), as: .pod("a", uid: "u1"), ttl: .seconds(300),
              deadline: $0)
          }
          try await check(held) {
            try await store.recordOpened(held, token: lease.token, podUID: "u1", deadline: $0)
          }
          try await check(held) {
            try await store.forgetOpened(held, podUID: "u1", deadline: $0)
          }
          try await check(held) { try await store.inspect(held, podUID: nil, deadline: $0) }
          try await check(nil) { try await store.keys(deadline: $0) }
          try await check(nil) { try await store.check(deadline: $0) }
        }
      }
      try await cluster.waitUntilNothingIsLeft(of: key)
      try await cluster.waitUntilConnected()
      #expect(try await cluster.store.isHeld(held, by: lease.token))
      _ = try await cluster.store.take(key)
    }
  }

  @Test(arguments: [1, 3])
  func redisHangsBeyondTheDeadline(servers: Int) async throws {
    try await withCluster(servers) { cluster in
      for server in cluster.servers { try await server.pause() }
      let start = time.now
      let error = try await storeError {
        try await cluster.store.acquire(
          key, as: .pod("a"), ttl: .seconds(300), deadline: start + .milliseconds(300))
      }
      // The node time-out is 20 s: it is the deadline that counts.
      #expect(time.now - start < .seconds(10))
      #expect(error.kind == .noQuorum)
      #expect(!error.failures.isEmpty)
      for server in cluster.servers { server.resume() }
      // Every server runs what was sent, the release last.
      for redis in cluster.direct {
        try await eventually("the server took and gave back") {
          let wasTaken = try await redis.ask("GET", "_fence/\(key)").integer == 1
          let isFree = try await redis.ask("EXISTS", key.description).integer == 0
          return wasTaken && isFree
        }
      }
      #expect(try await cluster.store.take(key).fencingToken == 2)
    }
  }

  @Test func aDeadlineThatHasPassedIsAnErrorAtOnce() async throws {
    try await withCluster(3) { cluster in
      let error = try await storeError {
        try await cluster.store.acquire(
          key, as: .pod("a"), ttl: .seconds(300), deadline: time.now - .seconds(1))
      }
      #expect(error.kind == .noQuorum)
      try await cluster.waitUntilNothingIsLeft(of: key)
    }
  }

  @Test func aLeaseThatIsOverBeforeItIsGrantedIsNone() async throws {
    try await withCluster(1) { cluster in
      let error = try await storeError {
        try await cluster.store.acquire(
          key, as: .pod("a"), ttl: .milliseconds(2), deadline: later)
      }
      #expect(error.kind == .noQuorum)
    }
  }
}
