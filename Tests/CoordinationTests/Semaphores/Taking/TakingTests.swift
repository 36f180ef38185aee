import Coordination
import LocalServers
import Testing

/// Several replicas of a webhook, each with connections of its own.
@Suite(.serialized) struct TakingTests {
  private let key = NamespacedKey(namespace: "team", key: "taken")

  /// - Parameter lockServers: 0: the lock is on the queue Redis too, under a prefix.
  private func withReplicas(
    _ count: Int, lockServers: Int = 1,
    _ body: ([Semaphore], QueueRedis, Cluster) async throws -> Void
  ) async throws {
    let locks = Array(repeating: RedlockStore.Configuration.patient, count: count)
    let queues = Array(repeating: RedisSemaphoreStore.Configuration.patient, count: count)
    try await withCluster(lockServers, stores: locks) { cluster in
      try await withQueue(stores: queues) { queue in
        let replicas = zip(queue.stores, cluster.stores).map {
          Semaphore(store: $0, locks: $1, name: "at-least-semaphore-pod-hook", time: time)
        }
        try await body(replicas, queue, cluster)
      }
    }
  }

  @Test(arguments: [1, 3])
  func aHundredAtOnceWithAHundredPermitsAreAllGranted(lockServers: Int) async throws {
    try await withReplicas(2, lockServers: lockServers) { replicas, queue, cluster in
      let key = key
      let results = await withTaskGroup { group in
        for pod in 0..<100 {
          group.addTask { await replicas[pod % 2].result(key, 100, as: .pod("p\(pod)")) }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.compactMap(\.error).isEmpty, "\(results.compactMap(\.error))")
      #expect(Set(results.compactMap(\.token)).count == 100)
      let next = try await replicas[0].take(key, 100)
      #expect(next.counts?.numbers == [100, 0, 100])
      #expect(next.counts?.oldest?.holder?.pod.hasPrefix("p") == true)
      #expect(try await queue.store.counts(key).numbers == [100, 0, 100])
      // Nothing is left of the lock.
      try await cluster.waitUntilNothingIsLeft(of: key)
    }
  }

  @Test func ofManyExactlyAsManyAsThereArePermitsAreGranted() async throws {
    try await withReplicas(3) { replicas, queue, _ in
      let key = key
      for length in [1, 2, 7] {
        let results = await withTaskGroup { group in
          for pod in 0..<60 {
            group.addTask { await replicas[pod % 3].result(key, length, as: .pod("p\(pod)")) }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.compactMap(\.error).isEmpty)
        let tokens = results.compactMap(\.token)
        #expect(tokens.count == length)
        // Those who got none are told the truth.
        #expect(
          results.compactMap { try? $0.get().counts?.numbers }
            .allSatisfy { $0 == [length, 0, length] })
        for token in tokens {
          let isReleased = try await queue.store.release(key, token)
          #expect(isReleased)
        }
      }
    }
  }

  @Test func permitsGoFromHandToHand() async throws {
    try await withReplicas(2) { replicas, queue, _ in
      let key = key
      let holders = Observed((now: 0, most: 0))
      try await withThrowingDiscardingTaskGroup { group in
        for pod in 0..<24 {
          group.addTask {
            for _ in 0..<8 {
              var token: Token?
              while token == nil {
                token = try await replicas[pod % 2].take(key, 3, as: .pod("p\(pod)")).token
                if token == nil { try await Task.sleep(for: .milliseconds(Int.random(in: 1...20))) }
              }
              holders.update {
                $0.now += 1
                $0.most = max($0.most, $0.now)
              }
              await Task.yield()
              holders.update { $0.now -= 1 }
              let taken = try #require(token)
              #expect(try await queue.stores[pod % 2].release(key, taken))
            }
          }
        }
      }
      #expect((1...3).contains(holders.current.most))
      #expect(try await queue.store.counts(key).numbers == [3, 3, 0])
    }
  }

  @Test func theLastLengthCounts() async throws {
    try await withReplicas(2) { replicas, queue, _ in
      #expect(try await replicas[0].take(key, 1).token != nil)
      #expect(try await replicas[1].take(key, 1).counts?.numbers == [1, 0, 1])
      #expect(try await replicas[1].take(key, 2).token != nil)
      let counts = try await replicas[0].resize(
        key, to: 5, lockTime: .seconds(30), deadline: later)
      #expect(counts.numbers == [5, 3, 2])
      #expect(try await replicas[0].take(key, 1).counts?.numbers == [1, 0, 2])
      #expect(try await queue.store.counts(key).numbers == [1, 0, 2])
    }
  }

  @Test func aStaleHolderMakesRoomForTheNext() async throws {
    try await withReplicas(1) { replicas, queue, _ in
      let first = try #require(try await replicas[0].take(key, 1, as: .pod("a", uid: "u1")).token)
      #expect(try await replicas[0].take(key, 1).token == nil)
      // Until its first heartbeat the lifetime that was asked for counts.
      try await queue.age(key, by: .seconds(61))
      #expect(try await replicas[0].take(key, 1, as: .pod("b", uid: "u2")).token != nil)
      #expect(try await queue.store.heartbeat(key, first, as: .pod("a", uid: "u1")).isLost)
    }
  }

  // MARK: Somebody else has the lock

  @Test func aLockWhoseHolderCrashedIsWaitedFor() async throws {
    try await withReplicas(2) { replicas, _, cluster in
      let crashed = try await cluster.stores[0].take(
        key, as: Holder(pod: "", owner: "at-least-semaphore-pod-hook", since: 1),
        ttl: .seconds(2))
      let key = key
      let results = await withTaskGroup { group in
        for pod in 0..<10 { group.addTask { await replicas[pod % 2].result(key, 10) } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(time.now >= crashed.validUntil)
      #expect(results.compactMap(\.token).count == 10)
    }
  }

  @Test func atTheDeadlineTheHolderOfTheLockIsNamed() async throws {
    try await withReplicas(1) { replicas, queue, cluster in
      _ = try await cluster.stores[0].take(
        key, as: Holder(pod: "", owner: "somebody", since: 1), ttl: .seconds(600))
      let error = try await semaphoreError {
        try await replicas[0].take(key, 3, deadline: time.now + .milliseconds(300))
      }
      #expect(error.isLockHeld)
      #expect(error.description.contains("somebody") && error.description.contains("\(key)"))
      #expect(error.description.contains("frees itself in 600 s"))
      #expect(try await queue.store.counts(key).length == nil)
      // What another implementation took is waited for as well.
      try await cluster.direct[0].ask("SET", "\(key)", "bare-token")
      let other = try await semaphoreError {
        try await replicas[0].take(key, 3, deadline: time.now + .milliseconds(100))
      }
      #expect(other.description.contains("another implementation"))
      #expect(other.description.contains("no time to live"))
      try await cluster.direct[0].ask("DEL", "\(key)")
      #expect(try await replicas[0].take(key, 3).token != nil)
    }
  }

  @Test(arguments: [Holder.pod("web-1"), .pod("web-2", uid: "u1"), .pod("", uid: "u1")])
  func aLockOfTheOtherHookIsRefusedAtOnce(holder: Holder) async throws {
    try await withReplicas(1) { replicas, _, cluster in
      let lease = try await cluster.stores[0].take(key, as: holder)
      let error = try await semaphoreError { try await replicas[0].take(key, 3) }
      guard case .foreignLock(key, by: holder) = error else { throw error }
      #expect(error.description.contains("--key-prefix"))
      #expect(error.description.contains("exactly-one-pod-hook"))
      #expect(error.description.contains(holder.pod.isEmpty ? "a Pod" : holder.pod))
      #expect(try await cluster.stores[0].isHeld(key, by: lease.token))
    }
  }

  // MARK: Servers in trouble

  @Test func storesThatAreAwayAreNamedAndNothingIsLeft() async throws {
    try await withReplicas(1) { replicas, queue, cluster in
      let key = key
      _ = try await queue.store.settle(key, 5)
      for server in [queue.server, cluster.servers[0]] {
        try await server.pause()
        let results = await withTaskGroup { group in
          for _ in 0..<20 {
            group.addTask {
              await replicas[0].result(key, 5, deadline: time.now + .milliseconds(500))
            }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.compactMap(\.token).isEmpty)
        let errors = results.compactMap(\.error)
        #expect(errors.contains { $0.description.contains(server.address) })
        server.resume()
        try await eventually("all is free again") {
          let taken = await replicas[0].result(key, 5, deadline: time.now + .seconds(20)).token
          guard let taken else { return false }
          guard try await queue.store.release(key, taken) else { return false }
          return try await queue.store.counts(key).numbers == [5, 5, 0]
        }
      }
    }
  }

  @Test func takesCancelledAtAnyMomentLeaveNothing() async throws {
    try await withReplicas(2) { replicas, queue, cluster in
      let key = key
      for turn in 0..<100 {
        let attempts = (0..<4).map { pod in
          Task { await replicas[pod % 2].result(key, 1000, as: .pod("p\(pod)")) }
        }
        for _ in 0..<(turn * 4) { await Task.yield() }
        for attempt in attempts.shuffled() { attempt.cancel() }
        for attempt in attempts {
          let result = await attempt.value
          if let token = result.token { queue.store.giveBack(key, token: token, podUID: nil) }
          if let error = result.error { #expect(error.isCancelled, "\(error)") }
        }
      }
      for replica in replicas { #expect(try await replica.take(key, 1000).token != nil) }
      try await eventually("all others are free") {
        try await queue.store.counts(key).numbers == [1000, 998, 2]
      }
      try await cluster.waitUntilNothingIsLeft(of: key)
    }
  }
}
