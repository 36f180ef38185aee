import Coordination
import EtcdClient
import LocalServers
import Testing

@Suite(.timeLimit(.minutes(5))) struct EtcdSemaphoreLeaseTests {
  private let key = NamespacedKey(namespace: "team", key: "leased")
  private let holder = Holder.pod("a", uid: "u1")

  @Test func aLeaseThatRanOutIsReportedLostOnce() async throws {
    try await withEtcdSemaphores(1, staleAfter: .seconds(8)) { servers, stores in
      // Whose holders outlive a machine that stands still for a while.
      try await withEtcdSemaphores(on: servers, staleAfter: .seconds(600)) { patient in
        let (store, other) = (stores[0], patient[0])
        let token = try await store.permit(key, of: 2, as: holder)
        let start = time.now
        #expect(try await store.heartbeat(key, token, as: holder) == .alive)
        _ = try await other.permit(key, of: 2, as: .pod("b", uid: "u2"))
        #expect(try await other.settle(key, 2, untilReclaimed: 1).numbers == [2, 1, 1])
        #expect(time.now >= start + .seconds(8))
        #expect(try await other.pop(key, 2, as: .pod("c", uid: "u3")) != nil)
        let told = try await store.heartbeat(key, token, as: holder).overLength
        #expect(try #require(told) > .zero)
        #expect(try await store.heartbeat(key, token, as: holder) == .lost(overLength: .zero))
        #expect(try await !store.release(key, token, "u1"))
        let counts = try await other.counts(key)
        #expect(counts.lost == 1 && counts.overLength > .zero)
        #expect(counts.numbers == [2, 0, 2])
      }
    }
  }

  /// What somebody else gave back on purpose was not reclaimed.
  @Test func whatAnotherGaveBackIsNotCounted() async throws {
    try await withEtcdSemaphores(1, stores: 2) { _, stores in
      let token = try await stores[0].permit(key, of: 2, as: holder)
      #expect(try await stores[1].release(key, token, "u1"))
      #expect(try await stores[0].heartbeat(key, token, as: holder) == .lost(overLength: .zero))
      let counts = try await stores[0].settle(key, 2)
      #expect(counts.lost == 0 && counts.reclaimed == 0)
      #expect(counts.numbers == [2, 2, 0])
    }
  }

  @Test func aPermitKeepsItsLeaseAndItsEndIsItsOwn() async throws {
    try await withEtcdSemaphores(1, stores: 2) { servers, stores in
      let server = servers[0]
      let first = try await stores[0].permit(key, of: 9)
      let second = try await stores[0].permit(key, of: 9)
      // One for the record, one for both claims, unless they came a second apart.
      #expect((2...3).contains(try await server.leases().count))
      #expect(try await stores[1].heartbeat(key, first, as: holder) == .alive)
      let leases = Set(try await server.leases())
      for _ in 0..<3 {
        #expect(try await stores[1].heartbeat(key, first, as: holder) == .alive)
      }
      #expect(Set(try await server.leases()) == leases)
      #expect(try await stores[1].release(key, first, "u1"))
      try await eventually("its lease is gone") {
        try await server.leases().count == leases.count - 1
      }
      #expect(try await stores[0].isInFlight(key, second))
      #expect(try await stores[0].counts(key).numbers == [9, 8, 1])
    }
  }

  /// A sidecar that was restarted knows its permit by the token alone.
  @Test func anotherProcessGoesOnWithAPermitUnderALeaseOfItsOwn() async throws {
    try await withEtcdSemaphores(1, stores: 2) { servers, stores in
      let token = try await stores[0].permit(key, of: 3, as: holder)
      let before = try await servers[0].leases()
      #expect(try await stores[1].heartbeat(key, token, as: holder) == .alive)
      let (server, count) = (servers[0], before.count)
      try await eventually("the lease of before is gone") {
        let now = try await server.leases()
        return now.count == count && now != before
      }
      #expect(try await stores[1].heartbeat(key, token, as: holder) == .alive)
      #expect(try await stores[1].settle(key, 3).numbers == [3, 2, 1])
    }
  }

  /// A claim that a sidecar takes over lives by its heartbeats from then on.
  @Test func aClaimOutlivesItsLifetimeOnceItIsBound() async throws {
    try await withEtcdSemaphores(1) { _, stores in
      let store = stores[0]
      _ = try await store.settle(key, 3)
      let claim = try #require(try await store.pop(key, 3, lifetime: .seconds(6)))
      let bound = try #require(
        try await store.pop(key, 3, as: .pod("b", uid: "u2"), lifetime: .seconds(6)))
      let idle = try #require(try await store.pop(key, 3, lifetime: .seconds(6)))
      #expect(try await store.heartbeat(key, claim, as: holder) == .alive)
      #expect(try await store.heartbeat(key, bound, as: .pod("b", uid: "u2")) == .alive)
      #expect(try await store.settle(key, 3, untilReclaimed: 1).numbers == [3, 1, 2])
      #expect(try await !store.isInFlight(key, idle))
      #expect(try await store.heartbeat(key, claim, as: holder) == .alive)
      #expect(try await store.heartbeat(key, bound, as: .pod("b", uid: "u2")) == .alive)
    }
  }
}
