import Coordination
import EtcdClient
import LocalServers
import Testing

@Suite(.timeLimit(.minutes(5))) struct EtcdSemaphoreFaultTests {
  enum Fault: CaseIterable { case killed, paused }

  private let key = NamespacedKey(namespace: "team", key: "kept")

  /// Which of three members fails: one of them is the leader, one the member that is asked first.
  @Test(arguments: Fault.allCases, [0, 1, 2])
  func oneMemberOfThreeLosesAndDoublesNoPermit(fault: Fault, victim: Int) async throws {
    func configure(_ configuration: inout EtcdConfiguration) {
      configuration.preferredMember = 0
      configuration.attemptTimeout = .milliseconds(300)
    }
    try await withEtcdSemaphores(3, stores: 2, staleAfter: .seconds(20), configure: configure) {
      servers, stores in
      // Whose holders outlive a machine that stands still for a while.
      try await withEtcdSemaphores(on: servers, staleAfter: .seconds(600), configure: configure) {
        patient in
        let length = 8
        let bound = try await patient[0].permit(key, of: length, as: .pod("a", uid: "u1"))
        let claim = try await patient[0].permit(key, of: length)
        // Permits are taken and given back while the member fails.
        try await withThrowingTaskGroup(of: Void.self) { group in
          for client in 0..<6 {
            group.addTask { try await takeAndGiveBack(client, stores[client % 2], of: length) }
          }
          group.addTask {
            switch fault {
            case .killed: try await servers[victim].kill()
            case .paused: try await servers[victim].pause()
            }
          }
          try await group.waitForAll()
        }
        // What could not be given back frees itself.
        try await settle(length, patient[0], keeping: [bound: "u1", claim: "u2"])
        switch fault {
        case .killed: try await servers[victim].restart()
        case .paused: try servers[victim].resume()
        }
        // What the member had before it stood still is not done now.
        try await settle(length, patient[0], keeping: [bound: "u1", claim: "u2"])
        #expect(Set(try await stores[0].permits(key).map(\.token)) == [bound, claim])
      }
    }
  }

  private func takeAndGiveBack(
    _ client: Int, _ store: EtcdSemaphoreStore, of length: Int
  ) async throws {
    for round in 0..<12 {
      let uid = "u\(client)-\(round)"
      let holder = Holder.pod("p", uid: round % 2 == 0 ? uid : nil)
      let popped = try? await store.pop(
        key, length: length, as: holder, lifetime: .seconds(20),
        deadline: time.now + .seconds(2))
      guard let token = popped ?? nil else { continue }
      _ = try await store.heartbeat(key, token, as: .pod("p", uid: uid))
      if round % 3 == 0 {
        store.giveBack(key, token: token, podUID: uid)
      } else {
        _ = try await store.release(key, token, uid)
      }
      let counts = try await store.counts(key)
      #expect(counts.queue + counts.inFlight <= length)
    }
  }

  /// Waits until only these are in flight, and never more than there should be.
  private func settle(
    _ length: Int, _ store: EtcdSemaphoreStore, keeping kept: [Token: String]
  ) async throws {
    let key = key
    try await eventually("all others are free") {
      for (token, uid) in kept {
        let beat = try await store.heartbeat(key, token, as: .pod("p", uid: uid))
        #expect(beat == .alive)
      }
      let numbers = try await store.settle(key, length).numbers
      return numbers == [length, length - kept.count, kept.count]
    }
  }

  @Test func withoutAMajorityNothingIsTakenAndTheMembersAreNamed() async throws {
    try await withEtcdSemaphores(3, configure: { $0.attemptTimeout = .milliseconds(300) }) {
      servers, stores in
      let store = stores[0]
      let token = try await store.permit(key, of: 3, as: .pod("a", uid: "u1"))
      try await servers[0].kill()
      try await servers[1].pause()
      let error = try await storeError {
        try await store.pop(
          key, length: 3, as: .pod("b"), lifetime: .seconds(60),
          deadline: time.now + .seconds(3))
      }
      #expect(error.kind == .noQuorum)
      #expect(error.quorum == 2 && error.members == 3)
      #expect(error.failures.count == 3, "\(error)")
      _ = try await storeError {
        try await store.settle(key, length: 3, deadline: time.now + .seconds(2))
      }
      _ = try await storeError {
        try await store.heartbeat(
          key, token: token, as: .pod("a", uid: "u1"), deadline: time.now + .seconds(2))
      }
      _ = try await storeError { try await store.check(deadline: time.now + .seconds(2)) }
      try servers[1].resume()
      try await servers[0].restart()
      #expect(try await store.heartbeat(key, token, as: .pod("a", uid: "u1")) == .alive)
      #expect(try await store.settle(key, 3).numbers == [3, 2, 1])
    }
  }

  /// Taken, perhaps, by an attempt whose answer nobody heard.
  @Test(arguments: [nil, "u1"])
  func anAttemptThatWasGivenUpIsVoid(podUID: String?) async throws {
    try await withEtcdSemaphores(1) { servers, stores in
      let store = stores[0]
      let key = key
      _ = try await store.settle(key, 20)
      // So that the lease of claims is there, and the attempts get as far as they can.
      #expect(try await store.release(key, try #require(try await store.pop(key, 20))))
      for turn in 0..<10 {
        let tasks = (0..<2).map { _ in
          Task {
            try await store.pop(
              key, length: 20, as: .pod("b", uid: podUID), lifetime: .seconds(60),
              deadline: time.now + .milliseconds(300))
          }
        }
        for _ in 0..<(turn * 20) { await Task.yield() }
        try await servers[0].pause()
        if turn % 2 == 0 { for task in tasks { task.cancel() } }
        for task in tasks {
          if let token = try? await task.value {
            store.giveBack(key, token: token, podUID: podUID)
          }
        }
        try servers[0].resume()
      }
      try await eventually("all are free") {
        try await store.counts(key).numbers == [20, 20, 0]
      }
      #expect(try await store.settle(key, 20).reclaimed == 0)
    }
  }

  /// A queue that is being filled when the time is over stays as far as it is, and is true.
  @Test func aDeadlineInTheMiddleOfFillingLeavesTrueNumbers() async throws {
    try await withEtcdSemaphores(1) { _, stores in
      let store = stores[0]
      var turns = 0
      while true {
        do {
          _ = try await store.settle(
            key, length: 20_000, deadline: time.now + .milliseconds(100 * (turns + 1)))
          break
        } catch {
          turns += 1
          let counts = try await store.counts(key)
          #expect(counts.queue <= 20_000)
        }
      }
      #expect(try await store.settle(key, 20_000).numbers == [20_000, 20_000, 0])
      #expect(try await store.counts(key).reclaimed == 0)
    }
  }
}
