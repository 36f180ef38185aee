import EtcdClient
import LocalServers
import Testing

@testable import Coordination

@Suite(.timeLimit(.minutes(5))) struct EtcdSemaphoreLayoutTests {
  @Test func namesAreThoseOfTheLayout() {
    let keys = EtcdSemaphoreKeys(prefix: "p/", key: .init(namespace: "team", key: "a/b"))
    #expect(keys.queue == "p/_queue/team/a%2Fb/")
    #expect(keys.inFlight == "p/_heartbeat/team/a%2Fb/")
    #expect(keys.record == "p/_semaphore/team/a%2Fb")
    let token = Token.permit(revision: 0x1234)
    #expect(token.text.hasPrefix("00000000-1234-8"))
    #expect(keys.permit(token) == "p/_heartbeat/team/a%2Fb/" + token.text)
    #expect(keys.token(of: Array(keys.permit(token).utf8)) == token)
  }

  /// No name of a semaphore is one of a lock, whatever their namespaces and keys are.
  @Test(arguments: LookingTests.oddKeys + ["team", "queue", "a/2f"])
  func aSemaphoreNeverMeetsALock(text: String) {
    for namespace in ["team", "queue", "heartbeat", "semaphore"] {
      let key = NamespacedKey(namespace: namespace, key: text)
      let keys = EtcdSemaphoreKeys(prefix: "", key: key)
      let lock = EtcdLockKeys(prefix: "", key: key).contenders
      for name in [keys.queue + "2f", keys.inFlight + "2f", keys.record] {
        #expect(EtcdLockKeys.lockKey(of: Array(name.utf8), prefix: "") == nil)
        #expect(!name.utf8.starts(with: lock.utf8))
      }
      for part in EtcdSemaphoreKeys.Part.allCases {
        let name = Array((keys.all(part) + Token.uuid().text).utf8)
        #expect(EtcdSemaphoreKeys.key(of: name, part, prefix: "") == key)
      }
    }
  }

  @Test func tokensAreInTheOrderOfRevisions() {
    let revisions: [Int64] = [0, 1, 15, 16, 255, 65_535, 65_536, 1 << 32, 1 << 47, (1 << 48) - 1]
    let tokens = revisions.map { Token.permit(revision: $0).text }
    #expect(tokens == tokens.sorted())
    for token in tokens {
      let bytes = Array(token.utf8)
      #expect(bytes.count == 36)
      #expect(bytes[14] == UInt8(ascii: "8") && "89ab".utf8.contains(bytes[19]))
    }
    #expect(Token.permit(revision: 7) != Token.permit(revision: 7))
  }

  @Test func aPlaceIsAPartOfTheQueue() {
    let keys = EtcdSemaphoreKeys(prefix: "", key: .init(namespace: "team", key: "a"))
    for (expected, digits) in [(0, 0), (10, 0), (255, 0), (256, 1), (10_000, 2), (100_000, 3)] {
      let place = keys.place(expecting: expected)
      #expect(place.part.utf8.count == keys.queue.utf8.count + digits)
      #expect(place.start.starts(with: place.part.utf8))
    }
  }

  @Test func whatIsInEtcdIsWhatTheLayoutSays() async throws {
    try await withEtcdServers(count: 1) { servers in
      try await withEtcdSemaphores(on: servers, prefix: "hooks/") { stores in
        let key = NamespacedKey(namespace: "team", key: "a/b")
        let token = try await stores[0].permit(key, of: 3, as: .pod("a", uid: "u1"))
        let queue = try await servers[0].names("hooks/_queue/")
        #expect(queue.count == 2)
        #expect(queue.allSatisfy { $0.hasPrefix("hooks/_queue/team/a%2Fb/") })
        let permit = "hooks/_heartbeat/team/a%2Fb/\(token.text)"
        #expect(
          try await servers[0].etcdctl("get", "--prefix", "hooks/_heartbeat/")
            == [permit, Holder.pod("a", uid: "u1").text])
        #expect(
          try await servers[0].etcdctl("get", "--prefix", "hooks/_semaphore/").first
            == "hooks/_semaphore/team/a%2Fb")
        #expect(try await servers[0].names("").count == 4)
        // The permit's, and one for the record and the queue.
        try await eventually("two leases") { try await servers[0].leases().count == 2 }
        // Another prefix is another store.
        try await withEtcdSemaphores(on: servers) { others in
          let numbers = try await others[0].counts(key).numbers
          #expect(numbers == [nil, 0, 0])
          let keys = try await others[0].keys(deadline: later)
          #expect(keys.isEmpty)
        }
        #expect(try await stores[0].keys(deadline: later) == [key])
      }
    }
  }

  @Test func nothingStaysForEver() async throws {
    try await withEtcdSemaphores(1) { servers, stores in
      let key = NamespacedKey(namespace: "team", key: "idle")
      let token = try await stores[0].permit(key, of: 300)
      for lease in try await servers[0].leases() {
        let state = try await servers[0].etcdctl("lease", "timetolive", lease, "--keys")
        #expect(state.contains { $0.contains("(86400s)") || $0.contains("(61s)") })
      }
      // As if nobody had used it for a day.
      for lease in try await servers[0].leases() {
        let state = try await servers[0].etcdctl("lease", "timetolive", lease)
        if state.contains(where: { $0.contains("(86400s)") }) {
          try await servers[0].etcdctl("lease", "revoke", lease)
        }
      }
      #expect(try await stores[0].counts(key).numbers == [nil, 0, 1])
      #expect(try await stores[0].pop(key, 300) == nil)
      #expect(try await stores[0].heartbeat(key, token, as: .pod("a", uid: "u1")) == .alive)
      let settled = try await stores[0].settle(key, 300)
      #expect(settled.numbers == [300, 299, 1])
      #expect(settled.reclaimed == 0)
    }
  }

  /// Each semaphore's record and queue go together, whoever filled it.
  @Test func aQueueHasOneLease() async throws {
    try await withEtcdSemaphores(1, stores: 3) { servers, stores in
      let key = NamespacedKey(namespace: "team", key: "leased")
      for (place, store) in stores.enumerated() {
        _ = try await store.settle(key, (place + 1) * 3)
      }
      #expect(try await servers[0].leases().count == 1)
    }
  }

  @Test func aClusterThatIsFullIsFound() async throws {
    let settings = EtcdServer.Settings(arguments: ["--quota-backend-bytes", "200000"])
    try await withEtcdSemaphores(1, settings: settings) { servers, stores in
      #expect(await stores[0].findings(deadline: later).isEmpty)
      try await eventually("etcd is full") {
        let process = try await servers[0].startEtcdctl([
          "put", "filler", String(repeating: "x", count: 100_000),
        ])
        _ = try await process.waitForExit()
        return await !stores[0].findings(deadline: later).isEmpty
      }
      let error = try await storeError {
        try await stores[0].settle(NamespacedKey(namespace: "team", key: "full"), 3)
      }
      #expect("\(error)".contains("space exceeded"))
    }
  }
}
