import Coordination
import LocalServers
import Testing

@Suite struct ContentionTests {
  private static let key = NamespacedKey(namespace: "team", key: "contended")

  /// Ten contenders share each store; the stores ask the servers in different orders, so that
  /// votes split.
  @Test(arguments: [1, 3])
  func of200ContendersExactlyOneWinsEveryRound(servers: Int) async throws {
    let stores = Array(repeating: RedlockStore.Configuration.patient, count: 20)
    try await withCluster(servers, stores: stores) { cluster in
      var last: UInt64 = 0
      for round in 0..<12 {
        let results = await withTaskGroup { group in
          for contender in 0..<200 {
            group.addTask {
              let store = cluster.stores[contender % cluster.stores.count]
              return await Self.contend(on: store, as: "pod-\(contender)")
            }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        let winners = results.compactMap { try? $0.get().lease }
        let errors = results.compactMap { result in
          if case .failure(let error) = result { error } else { nil }
        }
        #expect(winners.count == 1, "round \(round)")
        #expect(errors.isEmpty, "round \(round): \(errors.first?.description ?? "")")
        guard let winner = winners.first else { continue }
        // All others were told of the one winner.
        let owners = Set(results.compactMap { try? $0.get().owner?.record.token })
        #expect(owners == [winner.token], "round \(round)")
        #expect(winner.fencingToken > last, "round \(round)")
        last = winner.fencingToken
        #expect(
          try await cluster.store.release(
            Self.key, token: winner.token, podUID: nil, deadline: later))
        if round.isMultiple(of: 2) { try await cluster.waitUntilNothingIsLeft(of: Self.key) }
      }
    }
  }

  @Test func theLockGoesFromHandToHandUntilAllHaveHadIt() async throws {
    let stores = Array(repeating: RedlockStore.Configuration.patient, count: 8)
    try await withCluster(3, stores: stores) { cluster in
      let hands = Observed(Hands())
      try await withThrowingDiscardingTaskGroup { group in
        for contender in 0..<40 {
          group.addTask {
            let store = cluster.stores[contender % 8]
            while true {
              let lease = try await Self.contend(on: store, as: "pod-\(contender)").get().lease
              guard let lease else {
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...40)))
                continue
              }
              #expect(hands.update { $0.take(lease) } == 1)
              await Task.yield()
              hands.update { $0.holders -= 1 }
              #expect(
                try await store.release(
                  Self.key, token: lease.token, podUID: nil, deadline: later))
              return
            }
          }
        }
      }
      let given = hands.current.tokens
      #expect(given.count == 40)
      #expect(zip(given, given.dropFirst()).allSatisfy { $0 < $1 }, "\(given)")
    }
  }

  private struct Hands: Sendable {
    var holders = 0
    var tokens: [UInt64] = []

    /// - Returns: how many hold the lock now.
    mutating func take(_ lease: LockLease) -> Int {
      tokens.append(lease.fencingToken)
      holders += 1
      return holders
    }
  }

  private static func contend(
    on store: RedlockStore, as pod: String
  ) async -> Result<LockAcquisition, StoreError> {
    do throws(StoreError) {
      return .success(
        try await store.acquire(key, as: .pod(pod), ttl: .seconds(300), deadline: later))
    } catch {
      return .failure(error)
    }
  }
}
