import Coordination
import LocalServers
import RESP
import RedisClient
import ServiceLifecycle
import Testing

/// What was half-taken goes back: after a cancellation, over a restart, during a shutdown.
@Suite(.serialized) struct GivingBackTests {
  private let key = NamespacedKey(namespace: "team", key: "half-taken")

  private struct StoreService: Service {
    let store: RedlockStore
    func run() async throws { try await store.run() }
  }

  @Test(arguments: [1, 3])
  func aCancelledAcquireLeavesNothing(servers: Int) async throws {
    try await withCluster(servers) { cluster in
      for server in cluster.servers { try await server.pause() }
      let store = cluster.store
      let error = try await withThrowingTaskGroup(of: StoreError.self) { group in
        group.addTask {
          try await storeError {
            try await store.acquire(key, as: .pod("a"), ttl: .seconds(300), deadline: later)
          }
        }
        group.cancelAll()
        return try #require(try await group.next())
      }
      #expect(error.kind == .cancelled)
      for server in cluster.servers { server.resume() }
      try await cluster.waitUntilNothingIsLeft(of: key)
    }
  }

  @Test func acquiresCancelledAtAnyMomentLeaveNothing() async throws {
    try await withCluster(3) { cluster in
      let store = cluster.store
      let keys = (0..<150).map { NamespacedKey(namespace: "team", key: "cancelled-\($0)") }
      for (turn, key) in keys.enumerated() {
        let attempt = Task {
          try await store.acquire(key, as: .pod("a"), ttl: .seconds(300), deadline: later)
        }
        for _ in 0..<(turn * 3) { await Task.yield() }
        attempt.cancel()
        switch await attempt.result {
        case .success(let acquisition):
          // It was granted before: the caller's to give back.
          let lease = try #require(acquisition.lease)
          store.giveBack(key, token: lease.token, podUID: nil)
        case .failure(let error):
          #expect((error as? StoreError)?.kind == .cancelled)
        }
      }
      for key in keys { try await cluster.waitUntilNothingIsLeft(of: key) }
    }
  }

  @Test func aServerThatRestartsWithTheLockIsToldToo() async throws {
    try await withCluster(1, settings: .init(appendOnly: true)) { cluster in
      let lease = try await cluster.store.take(key)
      try await cluster.servers[0].kill()
      try await eventually("the connection is gone") {
        (try? await cluster.store.check(deadline: time.now + .seconds(20))) == nil
      }
      cluster.store.giveBack(key, token: lease.token, podUID: nil)
      try await cluster.servers[0].restart()
      try await cluster.waitUntilConnected()
      try await cluster.waitUntilNothingIsLeft(of: key)
    }
  }

  @Test func aServerThatWasAwayWhenAllOthersReleasedForgetsTheLockToo() async throws {
    try await withCluster(3, settings: .init(appendOnly: true)) { cluster in
      let lease = try await cluster.store.take(key, as: .pod("a", uid: "u1"))
      try await cluster.spread(lease, key)
      try await cluster.servers[2].kill()
      #expect(
        try await cluster.store.release(key, token: lease.token, podUID: "u1", deadline: later))
      try await cluster.servers[2].restart()
      try await cluster.waitUntilConnected()
      try await cluster.waitUntilNothingIsLeft(of: key)
    }
  }

  /// A server that is there but refuses for a moment is asked again.
  @Test func aServerThatIsBusyIsToldAgain() async throws {
    try await withCluster(1) { cluster in
      let redis = cluster.direct[0]
      let blocking = client(of: cluster.servers[0])
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        group.addTask { try await blocking.run() }
        try await eventually("the second client is connected") { blocking.isConnected }
        try await redis.ask("CONFIG", "SET", "lua-time-limit", "1")
        // Until a release came in while the script ran: which is first, nothing tells.
        try await eventually("a release was refused") {
          let lease = try await cluster.store.take(key)
          async let script = try? blocking.ask("EVAL", "while true do end", "0")
          try await eventually("the server refuses") { (try? await redis.ask("PING")) == nil }
          cluster.store.giveBack(key, token: lease.token, podUID: nil)
          for _ in 0..<50 { _ = try? await cluster.store.check(deadline: later) }
          try await redis.ask("SCRIPT", "KILL")
          _ = await script
          try await cluster.waitUntilNothingIsLeft(of: key)
          let statistics = try await redis.ask("INFO", "commandstats").string ?? ""
          let line = statistics.split(whereSeparator: \.isNewline).first {
            $0.hasPrefix("cmdstat_evalsha:")
          }
          return line?.contains("rejected_calls=0") == false
        }
      }
    }
  }

  @Test func aGracefulShutdownGivesBackWhatIsQueued() async throws {
    try await withCluster(3) { cluster in
      let store = RedlockStore(
        lanes: [lane(cluster.servers.map(client))], configuration: .patient, logger: .silent)
      let services = ServiceGroup(services: [StoreService(store: store)], logger: .silent)
      let keys = (0..<300).map { NamespacedKey(namespace: "team", key: "queued-\($0)") }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        var leases: [LockLease] = []
        for key in keys { leases.append(try await store.take(key)) }
        for (key, lease) in zip(keys, leases) {
          store.giveBack(key, token: lease.token, podUID: nil)
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
      }
      for key in keys { #expect(try await cluster.values(of: key) == [nil, nil, nil]) }
    }
  }

  @Test func aStoreWithoutServersStillEndsWhenItIsTold() async throws {
    try await withCluster(3) { cluster in
      let store = RedlockStore(
        lanes: [lane(cluster.servers.map(client))], configuration: .patient, logger: .silent)
      for server in cluster.servers { try await server.kill() }
      let services = ServiceGroup(services: [StoreService(store: store)], logger: .silent)
      for _ in 0..<20 { store.giveBack(key, token: .random(), podUID: nil) }
      try await withDeadline(.seconds(60), "the store ends") {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await services.run() }
          await services.triggerGracefulShutdown()
          try await group.waitForAll()
        }
      }
    }
  }
}
