import Coordination
import LocalServers
import Testing

/// While the server is away nobody can send a heartbeat: when it is back, all look dead.
@Suite struct OutageTests {
  private let key = NamespacedKey(namespace: "team", key: "outage")

  private func makeStale(_ token: Token, _ queue: QueueRedis) async throws {
    try await queue.direct.ask("ZADD", "heartbeat/\(key)", "1", token.text)
  }

  @Test func holdersHaveTimeToComeBackBeforeTheyCountAsDead() async throws {
    var configuration = RedisSemaphoreStore.Configuration.patient
    // Nobody is taken for dead for an eighth of it.
    configuration.staleAfter = .seconds(3600)
    try await withQueue(stores: [configuration], settings: .init(appendOnly: true)) { queue in
      let store = queue.store
      let holder = Holder.pod("a", uid: "a")
      let token = try await store.permit(key, of: 1, as: holder)
      try await makeStale(token, queue)
      try await queue.restart()
      let counts = try await store.settle(key, 1)
      #expect(counts.inFlight == 1 && counts.queue == 0)
      #expect(try await store.heartbeat(key, token, as: holder) == .alive)
    }
  }

  @Test func whoDoesNotComeBackIsReclaimed() async throws {
    var configuration = RedisSemaphoreStore.Configuration.patient
    configuration.staleAfter = .seconds(2)
    try await withQueue(stores: [configuration], settings: .init(appendOnly: true)) { queue in
      let store = queue.store
      let token = try await store.permit(key, of: 1, as: .pod("a", uid: "a"))
      try await makeStale(token, queue)
      try await queue.restart()
      let key = key
      try await eventually("the permit is free again") {
        try await store.settle(key, 1).queue == 1
      }
    }
  }
}
