import Coordination
import EtcdClient
import LocalServers
import Testing

@Suite(.timeLimit(.minutes(5))) struct EtcdFaultTests {
  enum Fault: CaseIterable { case killed, paused }

  /// Which of three members fails: the one that the store talks to, or the leader.
  @Test(arguments: Fault.allCases, [0, 1, 2])
  func oneMemberOfThreeChangesNoDecision(fault: Fault, victim: Int) async throws {
    try await withEtcdStore(
      3,
      configure: {
        $0.preferredMember = 0; $0.attemptTimeout = .milliseconds(500)
      }
    ) { servers, store in
      let kept = NamespacedKey(namespace: "team", key: "kept")
      let lease = try await store.take(kept, as: .pod("a", uid: "u1"))
      let claimed = NamespacedKey(namespace: "team", key: "claimed")
      let claim = try await store.take(claimed)
      switch fault {
      case .killed: try await servers[victim].kill()
      case .paused: try await servers[victim].pause()
      }
      let taken = try await store.acquire(
        kept, as: .pod("b"), ttl: .seconds(300), deadline: later)
      #expect(taken.owner?.record.token == lease.token)
      let extended = try await store.extend(kept, lease.token, as: .pod("a", uid: "u1"))
      #expect(extended.lease?.fencingToken == lease.fencingToken)
      let bound = try await store.extend(claimed, claim.token, as: .pod("c", uid: "u3"))
      #expect(bound.lease?.fencingToken == claim.fencingToken)
      for number in 0..<20 {
        let key = NamespacedKey(namespace: "team", key: "during-\(number)")
        let next = try await store.take(key)
        #expect(try await store.release(key, token: next.token, podUID: nil, deadline: later))
        #expect(try await store.isFree(key))
      }
      #expect(try await store.release(kept, token: lease.token, podUID: "u1", deadline: later))
      try await store.check(deadline: later)
      switch fault {
      case .killed: try await servers[victim].restart()
      case .paused: try servers[victim].resume()
      }
      #expect(try await store.isFree(kept))
      #expect(try await store.isHeld(claimed, by: claim.token))
      #expect(
        try await store.take(kept, as: .pod("d", uid: "u4")).fencingToken > lease.fencingToken)
    }
  }

  @Test func withoutAMajorityNothingIsGrantedAndTheMembersAreNamed() async throws {
    try await withEtcdStore(3, configure: { $0.attemptTimeout = .milliseconds(300) }) {
      servers, store in
      let key = NamespacedKey(namespace: "team", key: "no-majority")
      let lease = try await store.take(key, as: .pod("a", uid: "u1"))
      try await servers[0].kill()
      try await servers[1].pause()
      let soon = { time.now + .seconds(3) }
      let error = try await storeError {
        try await store.acquire(key, as: .pod("b"), ttl: .seconds(60), deadline: soon())
      }
      #expect(error.kind == .noQuorum)
      #expect(error.quorum == 2 && error.members == 3)
      #expect(error.failures.count == 3, "\(error)")
      _ = try await storeError {
        try await store.extend(
          key, .init(token: lease.token), as: .pod("a", uid: "u1"), ttl: .seconds(300),
          deadline: soon())
      }
      _ = try await storeError { try await store.check(deadline: soon()) }
      try servers[1].resume()
      try await servers[0].restart()
      let again = try await store.extend(key, lease.token, as: .pod("a", uid: "u1"))
      #expect(again.lease?.fencingToken == lease.fencingToken)
    }
  }

  @Test func aCancelledAttemptIsGivenBack() async throws {
    try await withEtcdStore(1) { servers, store in
      let key = NamespacedKey(namespace: "team", key: "cancelled")
      try await servers[0].pause()
      let task = Task {
        try await store.acquire(key, as: .pod("a"), ttl: .seconds(300), deadline: later)
      }
      task.cancel()
      let error = try await storeError { try await task.value }
      #expect(error.kind == .cancelled)
      try servers[0].resume()
      try await eventually("the lock is granted") {
        try await store.acquire(key, as: .pod("b"), ttl: .seconds(300), deadline: later)
          .lease != nil
      }
    }
  }

  /// Contenders that come and go while members are paused in turn: never two holders at once.
  @Test func atMostOneHoldsWhileMembersPauseInTurn() async throws {
    try await withEtcdStore(3, configure: { $0.attemptTimeout = .milliseconds(200) }) {
      servers, store in
      let key = NamespacedKey(namespace: "team", key: "contended")
      let witness = Witness()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<6 {
          group.addTask {
            let uid = "u\(number)"
            let end = time.now + .seconds(6)
            while time.now < end {
              let acquisition = try? await store.acquire(
                key, as: .pod("p", uid: uid), ttl: .seconds(60), deadline: time.now + .seconds(2))
              guard let lease = acquisition?.lease else {
                try await Task.sleep(for: .milliseconds(5))
                continue
              }
              await witness.enter(lease.fencingToken)
              await witness.leave()
              while (try? await store.release(
                key, token: lease.token, podUID: uid, deadline: time.now + .seconds(5))) == nil
              {}
            }
          }
        }
        group.addTask {
          for server in servers + servers {
            try await server.pause()
            try await Task.sleep(for: .milliseconds(700))
            try server.resume()
          }
        }
        try await group.waitForAll()
      }
      #expect(await witness.overlaps == 0)
      #expect(await witness.entries > 0)
      #expect(await witness.isGrowing)
    }
  }

  /// Sees who is in.
  private actor Witness {
    private(set) var overlaps = 0
    private(set) var entries = 0
    private(set) var isGrowing = true
    private var inside = 0
    private var last: UInt64 = 0

    func enter(_ fencingToken: UInt64) {
      inside += 1
      entries += 1
      if inside > 1 { overlaps += 1 }
      if fencingToken <= last { isGrowing = false }
      last = fencingToken
    }

    func leave() { inside -= 1 }
  }
}
