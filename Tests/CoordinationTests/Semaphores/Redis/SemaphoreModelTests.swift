import Coordination
import RESP
import Testing

/// Random operations: what Redis does is what the rules in memory do, and no order of anything gives
/// more permits than there are.
@Suite(.sharedQueues) struct SemaphoreModelTests {
  /// One client: every answer is the same as that of the store in memory.
  @Test(arguments: [SemaphoreKind.redis, .redis6], [UInt64.random(in: 0 ... .max), 1])
  func redisAnswersLikeTheRules(kind: SemaphoreKind, seed: UInt64) async throws {
    let subject = try subject(kind)
    let clock = ShiftedTime()
    let model = MemorySemaphoreStore(time: clock)
    let store = subject.store
    let key = NamespacedKey(namespace: "model", key: "same-\(seed)")
    var random = SeededRandom(seed: seed)
    // Both stores' tokens of the same permit, and the Pod that it is for.
    var known: [(redis: Token, memory: Token, uid: String)] = []
    var length = 3
    for step in 0..<1500 {
      let place = known.isEmpty ? nil : Int.random(in: known.indices, using: &random)
      switch Int.random(in: 0..<20, using: &random) {
      case 0:
        length = Int.random(in: 1...6, using: &random)
      case 1..<5:
        let counts = try await store.settle(key, length)
        expect(counts, like: try await model.settle(key, length), step)
      case 5..<10:
        let uid = "u\(step)"
        let holder = Holder.pod("p", uid: Bool.random(using: &random) ? uid : nil)
        let lifetime = store.staleAfter * [0.5, 1, 2][Int.random(in: 0..<3, using: &random)]
        let tokens = (
          try await store.pop(key, length, as: holder, lifetime: lifetime),
          try await model.pop(key, length, as: holder, lifetime: lifetime)
        )
        #expect((tokens.0 == nil) == (tokens.1 == nil), "step \(step)")
        if let redis = tokens.0, let memory = tokens.1 { known.append((redis, memory, uid)) }
      case 10..<14:
        guard let place else { continue }
        let uid = [known[place].uid, known[place].uid, "other"].randomElement(using: &random)
        let holder = Holder.pod("p", uid: uid)
        let answers = (
          try await store.heartbeat(key, known[place].redis, as: holder),
          try await model.heartbeat(key, known[place].memory, as: holder)
        )
        #expect(answers.0.isLost == answers.1.isLost, "step \(step)")
        expect(answers.0.overLength ?? .zero, like: answers.1.overLength ?? .zero, step)
      case 14..<17:
        guard let place else { continue }
        let uid = [known[place].uid, nil, "other"].randomElement(using: &random) ?? nil
        let redis = try await store.release(key, known[place].redis, uid)
        #expect(try await model.release(key, known[place].memory, uid) == redis, "step \(step)")
      default:
        let duration = store.staleAfter * [0.1, 0.3, 0.7][Int.random(in: 0..<3, using: &random)]
        try await subject.pass(duration, key)
        clock.advance(by: duration)
      }
      let counts = try await store.counts(key)
      expect(counts, like: try await model.counts(key), step)
      let places = try await (store.permits(key).map(\.token), model.permits(key).map(\.token))
      #expect(
        places.0.map { token in known.firstIndex { $0.redis == token } }
          == places.1.map { token in known.firstIndex { $0.memory == token } }, "step \(step)")
    }
  }

  private func expect(_ left: SemaphoreCounts, like right: SemaphoreCounts, _ step: Int) {
    #expect(left.numbers == right.numbers, "step \(step)")
    #expect(
      [left.stale, left.reclaimed, left.lost] == [right.stale, right.reclaimed, right.lost],
      "step \(step)")
    expect(left.overLength, like: right.overLength, step)
  }

  /// The stores' clocks run on between two calls.
  private func expect(_ left: Duration, like right: Duration, _ step: Int) {
    #expect(abs((left - right) / .seconds(1)) < 60, "step \(step): \(left) \(right)")
  }

  /// Many clients at once, and time that passes in leaps.
  @Test(arguments: SemaphoreKind.allCases, [UInt64.random(in: 0 ... .max)])
  func noMoreThanTheLengthAreEverInFlightAndNoPermitLeaks(
    kind: SemaphoreKind, seed: UInt64
  ) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "model", key: "many-\(seed)")
    let length = 7
    _ = try await store.settle(key, length)
    try await withThrowingDiscardingTaskGroup { group in
      for client in 0..<24 {
        group.addTask {
          var random = SeededRandom(seed: seed &+ UInt64(client))
          let holder = Holder.pod("p\(client)", uid: "u\(client)")
          var tokens: Set<Token> = []
          for _ in 0..<(kind.usesLeases ? 30 : 150) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<3:
              let claim = Bool.random(using: &random) ? holder : .pod("p\(client)")
              if let token = try await store.pop(key, length, as: claim) { tokens.insert(token) }
            case 3..<5:
              let counts = try await store.settle(key, length)
              #expect(counts.queue + counts.inFlight == length)
            case 5..<7:
              guard let token = tokens.randomElement(using: &random) else { continue }
              if try await store.heartbeat(key, token, as: holder).isLost { tokens.remove(token) }
            case 7..<9:
              guard let token = tokens.randomElement(using: &random) else { continue }
              tokens.remove(token)
              if Bool.random(using: &random) {
                _ = try await store.release(key, token, "u\(client)")
                #expect(try await !store.release(key, token, "u\(client)"))
              } else {
                store.giveBack(key, token: token, podUID: "u\(client)")
              }
            default:
              if client == 0 { try await subject.pass(store.staleAfter * 0.6, key) }
            }
            let counts = try await store.counts(key)
            #expect(counts.inFlight <= length && counts.queue + counts.inFlight <= length)
          }
          // Whoever is left crashes.
        }
      }
    }
    try await subject.pass(store.staleAfter * 1.1, key)
    try await eventually("what was given back is free") {
      try await store.settle(key, length).numbers == [length, length, 0]
    }
    #expect(try await store.permits(key).isEmpty)
  }
}
