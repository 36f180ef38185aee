import LocalServers
import Testing

@testable import Coordination

/// While the server is away nobody can send a heartbeat: when it is back, all look dead.
@Suite struct OutageTests {
  private let key = NamespacedKey(namespace: "team", key: "outage")

  private func makeStale(_ token: Token, _ queue: QueueRedis) async throws {
    try await queue.direct.ask("ZADD", "heartbeat/\(key)", "1", token.text)
  }

  @Test(arguments: [
    (60, 0, true), (60, 14, true), (300, 5, true), (60, 15, false), (59, 0, false), (0, 0, false),
  ])
  func holdersHaveTimeToComeBackBeforeTheyCountAsDead(
    outage: Int, endedAgo: Int, isExcuse: Bool
  ) {
    #expect(
      RedisSemaphoreStore.excuses(
        .seconds(outage), endedAgo: .seconds(endedAgo), staleAfter: .seconds(120)) == isExcuse)
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
