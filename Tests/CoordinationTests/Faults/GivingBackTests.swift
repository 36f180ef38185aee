import Coordination
import LocalServers
import RESP
import ServiceLifecycle
import Testing

/// What was half-taken goes back: after a cancellation, over a restart, during a shutdown.
@Suite(.serialized) struct GivingBackTests {
  private let key = LockKey(namespace: "team", key: "half-taken")

  private struct StoreService: Service {
    let store: RedlockStore
    func run() async throws { try await store.run() }
  }

  @Test(arguments: [1, 3])
  func aCancelledAcquireLeavesNothing(servers: Int) async throws {
    try await withCluster(servers) { cluster in
      for server in cluster.servers { try await server.pause() }
      let store = cluster.store
      let error = try await withThrowingTaskGroup(of: LockStoreError.self) { group in
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
      let keys = (0..<150).map { LockKey(namespace: "team", key: "cancelled-\($0)") }
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
          #expect((error as? LockStoreError)?.kind == .cancelled)
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

  @Test func aGracefulShutdownGivesBackWhatIsQueued() async throws {
    try await withCluster(3) { cluster in
      let store = RedlockStore(
        lanes: [lane(cluster.servers.map(client))], configuration: .patient, logger: .silent)
      let services = ServiceGroup(services: [StoreService(store: store)], logger: .silent)
      let keys = (0..<300).map { LockKey(namespace: "team", key: "queued-\($0)") }
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
