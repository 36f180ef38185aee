import Coordination
import LocalServers
import Logging
import NIOPosix
import RESP
import RedisClient
import ServiceLifecycle
import Testing

@Suite(.serialized) struct QueueFaultTests {
  private let key = NamespacedKey(namespace: "team", key: "fault")

  private struct StoreService: Service {
    let store: RedisSemaphoreStore
    func run() async throws { try await store.run() }
  }

  private func waitUntilAllAreFree(_ queue: QueueRedis, of length: Int) async throws {
    let key = key
    try await eventually("all permits are free") { try await queue.numbers(key) == [length, 0] }
  }

  @Test func aServerThatIsKilledForgetsNothingItAnswered() async throws {
    try await withQueue(settings: .init(appendOnly: true)) { queue in
      let store = queue.store
      var held: [Token: Holder] = [:]
      for round in 0..<4 {
        for pod in 0..<3 {
          let holder = Holder.pod("p\(round)-\(pod)", uid: "p\(round)-\(pod)")
          held[try await store.permit(key, of: 20, as: holder)] = holder
        }
        if let (token, holder) = held.randomElement() {
          #expect(try await store.release(key, token, holder.podUID))
          held[token] = nil
        }
        // Before the server was ever away: after that nobody is reclaimed for a while.
        if round == 0 {
          let (token, holder) = try #require(held.randomElement())
          try await queue.direct.ask("ZADD", "heartbeat/\(key)", "1", token.text)
          #expect(try await store.settle(key, 20).reclaimed == 1)
          held[token] = nil
          try await queue.restart()
          #expect(try await store.heartbeat(key, token, as: holder).isLost)
        } else {
          try await queue.restart()
        }
        let counts = try await store.counts(key)
        #expect(counts.numbers == [20, 20 - held.count, held.count])
        #expect(Set(try await store.permits(key).map(\.token)) == Set(held.keys))
        for (token, holder) in held {
          #expect(try await store.heartbeat(key, token, as: holder) == .alive)
        }
      }
      #expect(try await store.counts(key).lost == 1)
    }
  }

  @Test func aPopWhoseAnswerIsLostIsGivenBack() async throws {
    try await withQueue(stores: [.commandTimeout(.milliseconds(300))]) { queue in
      let store = queue.store
      let key = key
      try await eventually("the queue is settled") {
        (try? await store.settle(key, 5))?.numbers == [5, 5, 0]
      }
      try await queue.server.pause()
      let errors = try await withThrowingTaskGroup(of: StoreError.self) { group in
        for pod in 0..<5 {
          group.addTask {
            try await storeError { try await store.pop(key, 5, as: .pod("p\(pod)", uid: "u")) }
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(errors.allSatisfy { $0.kind == .noQuorum && $0.failures.count == 1 })
      #expect(errors.allSatisfy { $0.failures.first?.member == queue.server.address })
      queue.server.resume()
      try await waitUntilAllAreFree(queue, of: 5)
    }
  }

  @Test func popsCancelledAtAnyMomentLeaveNothing() async throws {
    try await withQueue { queue in
      let store = queue.store
      _ = try await store.settle(key, 200)
      for turn in 0..<150 {
        let key = key
        let attempt = Task { try await store.pop(key, 200) }
        for _ in 0..<(turn * 3) { await Task.yield() }
        attempt.cancel()
        switch await attempt.result {
        case .success(let token): store.giveBack(key, token: try #require(token), podUID: nil)
        case .failure(let error): #expect((error as? StoreError)?.kind == .cancelled)
        }
      }
      try await waitUntilAllAreFree(queue, of: 200)
    }
  }

  @Test func aServerThatRestartsWithThePermitIsToldToo() async throws {
    try await withQueue(settings: .init(appendOnly: true)) { queue in
      let token = try await queue.store.permit(key, of: 3)
      try await queue.server.kill()
      try await eventually("the connection is gone") {
        (try? await queue.store.check(deadline: time.now + .seconds(20))) == nil
      }
      queue.store.giveBack(key, token: token, podUID: nil)
      try await queue.server.restart()
      try await waitUntilAllAreFree(queue, of: 3)
    }
  }

  @Test func aGracefulShutdownGivesBackWhatIsQueued() async throws {
    try await withQueue { queue in
      let store = RedisSemaphoreStore(
        lanes: [
          .init(
            eventLoop: MultiThreadedEventLoopGroup.singleton.any(), client: client(of: queue.server)
          )
        ], configuration: .patient, logger: .silent)
      let services = ServiceGroup(services: [StoreService(store: store)], logger: .silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        _ = try await store.settle(key, 300)
        for _ in 0..<300 {
          let token = try #require(try await store.pop(key, 300))
          store.giveBack(key, token: token, podUID: nil)
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
      }
      #expect(try await queue.numbers(key) == [300, 0])
    }
  }

  @Test func aServerThatIsGoneCostsNoMoreThanTheDeadline() async throws {
    try await withQueue { queue in
      _ = try await queue.store.settle(key, 3)
      try await queue.server.pause()
      let start = time.now
      for error in [
        try await storeError {
          try await queue.store.settle(key, length: 3, deadline: time.now + .milliseconds(100))
        },
        try await storeError {
          try await queue.store.keys(deadline: time.now + .milliseconds(100))
        },
        try await storeError {
          try await queue.store.check(deadline: time.now + .milliseconds(100))
        },
      ] {
        #expect(error.kind == .noQuorum)
      }
      #expect(await queue.store.findings(deadline: time.now + .milliseconds(100)).isEmpty)
      #expect(time.now - start < .seconds(10))
    }
  }
}

extension QueueRedis {
  /// Returns once everybody is connected again.
  func restart() async throws {
    try await server.restart()
    try await eventually("all are connected again") {
      guard (try? await direct.ask("PING")) != nil else { return false }
      return (try? await store.check(deadline: later)) != nil
    }
  }

  /// Queue and in flight as the server has them; -1 while it does not answer.
  fileprivate func numbers(_ key: NamespacedKey) async throws -> [Int] {
    let free = try? await direct.ask("LLEN", "queue/\(key)").integer
    let busy = try? await direct.ask("ZCARD", "heartbeat/\(key)").integer
    return [Int(free ?? -1), Int(busy ?? -1)]
  }
}
