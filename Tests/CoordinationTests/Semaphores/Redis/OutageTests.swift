import LocalServers
import Testing

@testable import Coordination

/// While the server is away nobody can send a heartbeat: when it is back, all look dead.
@Suite(.timeLimit(.minutes(3))) struct OutageTests {
  private let key = NamespacedKey(namespace: "team", key: "outage")

  private func makeStale(_ token: Token, _ queue: QueueRedis) async throws {
    try await queue.direct.ask("ZADD", "heartbeat/\(key)", "1", token.text)
  }

  @Test(arguments: [
    (30, 0, true), (30, 14, true), (300, 5, true), (60, 15, false), (29, 0, false), (0, 0, false),
  ])
  func holdersHaveTimeToComeBackBeforeTheyCountAsDead(
    outage: Int, endedAgo: Int, isExcuse: Bool
  ) {
    #expect(
      RedisSemaphoreStore.excuses(
        .seconds(outage), endedAgo: .seconds(endedAgo), staleAfter: .seconds(120)) == isExcuse)
  }

  @Test func afterAnOutageNobodyIsReclaimedUntilAllHadTimeToComeBack() async throws {
    var configuration = RedisSemaphoreStore.Configuration.patient
    configuration.staleAfter = .seconds(12)
    try await withQueue(stores: [configuration], settings: .init(appendOnly: true)) { queue in
      let store = queue.store
      let token = try await store.permit(key, of: 1, as: .pod("a", uid: "a"))
      try await makeStale(token, queue)
      try await queue.server.kill()
      // The outage is what is tested.
      try await Task.sleep(for: configuration.staleAfter / 4)
      try await queue.server.restart()
      let key = key
      // The first that is answered.
      try await eventually("the store answers") {
        guard let counts = try? await store.settle(key, 1) else { return false }
        #expect(counts.numbers == [1, 0, 1])
        return true
      }
      #expect(try await store.heartbeat(key, token, as: .pod("a", uid: "a")) == .alive)
    }
  }

  /// Who lives may say so, and nobody is taken for dead whose heartbeat could not be written.
  @Test func aServerWithoutMemoryReclaimsNobody() async throws {
    try await withQueue { queue in
      let store = queue.store
      let silent = try await store.permit(key, of: 3, as: .pod("silent", uid: "silent"))
      let token = try await store.permit(key, of: 3, as: .pod("a", uid: "a"))
      try await makeStale(silent, queue)
      try await queue.direct.ask("CONFIG", "SET", "maxmemory", "1")
      for _ in 0..<3 {
        #expect(try await store.heartbeat(key, token, as: .pod("a", uid: "a")) == .alive)
        await #expect(throws: StoreError.self) { try await store.settle(key, 3) }
        await #expect(throws: StoreError.self) { try await store.pop(key, 3) }
      }
      #expect(try await store.counts(key).numbers == [3, 1, 2])
      #expect(try await store.counts(key).reclaimed == 0)
      try await queue.direct.ask("CONFIG", "SET", "maxmemory", "0")
      #expect(try await store.settle(key, 3).numbers == [3, 2, 1])
      #expect(try await store.counts(key).reclaimed == 1)
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
