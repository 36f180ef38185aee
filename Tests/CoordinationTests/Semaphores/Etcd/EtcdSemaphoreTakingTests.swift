import Coordination
import EtcdClient
import LocalServers
import Testing

/// Several replicas of a webhook whose locks and permits are in the same etcd.
@Suite(.timeLimit(.minutes(5))) struct EtcdSemaphoreTakingTests {
  private let key = NamespacedKey(namespace: "team", key: "taken")

  private func withReplicas(
    members: Int, _ body: ([Semaphore], [EtcdSemaphoreStore], [EtcdServer]) async throws -> Void
  ) async throws {
    try await withEtcdSemaphores(members, stores: 2) { servers, stores in
      try await withEtcdStore(on: servers) { first in
        try await withEtcdStore(on: servers) { second in
          let replicas = zip(stores, [first, second]).map {
            Semaphore(store: $0, locks: $1, name: "at-least-semaphore-pod-hook", time: time)
          }
          try await body(replicas, stores, servers)
        }
      }
    }
  }

  @Test(arguments: [1, 3])
  func aHundredAtOnceWithAHundredPermitsAreAllGranted(members: Int) async throws {
    try await withReplicas(members: members) { replicas, stores, servers in
      let key = key
      let results = await withTaskGroup { group in
        for pod in 0..<100 {
          group.addTask { await replicas[pod % 2].result(key, 100, as: .pod("p\(pod)")) }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.compactMap(\.error).isEmpty, "\(results.compactMap(\.error))")
      #expect(Set(results.compactMap(\.token)).count == 100)
      #expect(try await replicas[0].take(key, 100).counts?.numbers == [100, 0, 100])
      #expect(try await stores[1].counts(key).numbers == [100, 0, 100])
      // Nothing is left of the lock.
      try await eventually("the lock is free") { try await servers[0].names("team/").isEmpty }
    }
  }

  @Test func ofManyExactlyAsManyAsThereArePermitsAreGranted() async throws {
    try await withReplicas(members: 1) { replicas, stores, _ in
      let key = key
      for length in [1, 2, 7] {
        let results = await withTaskGroup { group in
          for pod in 0..<60 {
            group.addTask { await replicas[pod % 2].result(key, length, as: .pod("p\(pod)")) }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.compactMap(\.error).isEmpty, "\(results.compactMap(\.error))")
        let tokens = results.compactMap(\.token)
        #expect(tokens.count == length)
        for token in tokens {
          let isReleased = try await stores[0].release(key, token)
          #expect(isReleased)
        }
      }
    }
  }
}
