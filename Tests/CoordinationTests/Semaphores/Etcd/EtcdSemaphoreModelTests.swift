import Coordination
import EtcdClient
import LocalServers
import Testing

@Suite(.timeLimit(.minutes(5))) struct EtcdSemaphoreModelTests {
  /// Random operations of one client, with lengths that change: every answer is the same as that of
  /// the rules in memory, as long as no time passes.
  @Test(arguments: [UInt64.random(in: 0 ... .max), 1])
  func etcdAnswersLikeTheRules(seed: UInt64) async throws {
    try await withEtcdSemaphores(1, staleAfter: .seconds(600)) { _, stores in
      let model = MemorySemaphoreStore(staleAfter: .seconds(600), time: ShiftedTime())
      let store = stores[0]
      let key = NamespacedKey(namespace: "model", key: "same")
      var random = SeededRandom(seed: seed)
      var known: [(etcd: Token, memory: Token, uid: String)] = []
      var length = 3
      for step in 0..<600 {
        let place = known.isEmpty ? nil : Int.random(in: known.indices, using: &random)
        switch Int.random(in: 0..<18, using: &random) {
        case 0..<2: length = Int.random(in: 1...9, using: &random)
        case 2..<5:
          let numbers = try await store.settle(key, length).numbers
          #expect(try await model.settle(key, length).numbers == numbers, "step \(step)")
        case 5..<11:
          let uid = "u\(step)"
          let holder = Holder.pod("p", uid: Bool.random(using: &random) ? uid : nil)
          let tokens = (
            try await store.pop(key, length, as: holder),
            try await model.pop(key, length, as: holder)
          )
          #expect((tokens.0 == nil) == (tokens.1 == nil), "step \(step)")
          if let etcd = tokens.0, let memory = tokens.1 { known.append((etcd, memory, uid)) }
        case 11..<14:
          guard let place else { continue }
          let uid = [known[place].uid, known[place].uid, "other"].randomElement(using: &random)
          let holder = Holder.pod("p", uid: uid)
          let beat = try await store.heartbeat(key, known[place].etcd, as: holder)
          #expect(
            try await model.heartbeat(key, known[place].memory, as: holder) == beat,
            "step \(step)")
        default:
          guard let place else { continue }
          let uid = [known[place].uid, nil, "other"].randomElement(using: &random) ?? nil
          let isReleased = try await store.release(key, known[place].etcd, uid)
          #expect(
            try await model.release(key, known[place].memory, uid) == isReleased, "step \(step)")
        }
        let counts = try await store.counts(key)
        #expect(try await model.counts(key).numbers == counts.numbers, "step \(step)")
        #expect(counts.reclaimed == 0 && counts.lost == 0)
      }
    }
  }

  /// Several clients at once, who state different lengths and whose holders crash.
  @Test(arguments: [UInt64.random(in: 0 ... .max)])
  func noPermitIsLostOrDoubled(seed: UInt64) async throws {
    let settings = EtcdServer.Settings(heartbeatMilliseconds: 40)
    try await withEtcdSemaphores(1, stores: 3, staleAfter: .seconds(15), settings: settings) {
      _, stores in
      let key = NamespacedKey(namespace: "model", key: "many")
      let most = 9
      _ = try await stores[0].settle(key, most)
      try await withThrowingDiscardingTaskGroup { group in
        for client in 0..<18 {
          group.addTask {
            let store = stores[client % stores.count]
            var random = SeededRandom(seed: seed &+ UInt64(client))
            let holder = Holder.pod("p\(client)", uid: "u\(client)")
            var tokens: Set<Token> = []
            for _ in 0..<80 {
              let length = client % 3 == 0 ? Int.random(in: 1...most, using: &random) : most
              switch Int.random(in: 0..<10, using: &random) {
              case 0..<4:
                let claim = Bool.random(using: &random) ? holder : .pod("p\(client)")
                if let token = try await store.pop(key, length, as: claim) { tokens.insert(token) }
              case 4..<6: _ = try await store.settle(key, length)
              case 6:
                guard let token = tokens.randomElement(using: &random) else { continue }
                if try await store.heartbeat(key, token, as: holder).isLost {
                  tokens.remove(token)
                }
              default:
                guard let token = tokens.randomElement(using: &random) else { continue }
                tokens.remove(token)
                if Bool.random(using: &random) {
                  _ = try await store.release(key, token, "u\(client)")
                  #expect(try await !store.release(key, token, "u\(client)"))
                } else {
                  store.giveBack(key, token: token, podUID: "u\(client)")
                }
              }
              let counts = try await store.counts(key)
              #expect(counts.inFlight <= most && counts.queue + counts.inFlight <= most)
            }
            // Whoever is left crashes.
          }
        }
      }
      try await eventually("all are free") {
        try await stores[1].settle(key, most).numbers == [most, most, 0]
      }
      #expect(try await stores[2].permits(key).isEmpty)
    }
  }
}
