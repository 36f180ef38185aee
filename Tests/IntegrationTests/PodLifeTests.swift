import JSON
import LocalKubelet
import LocalServers
import Testing

/// The whole life of a lock, from admission to its end, with real sidecars.
@Suite(.serialized, .cluster()) struct PodLifeTests {
  /// A controller that wants a bare Pod to run.
  private func apply(_ pod: JSONValue) throws -> Workload {
    try cluster().kubelet.apply(Manifest(pod))
  }

  @Test func theNextPodIsAdmittedAsSoonAsTheHolderIsDeleted() async throws {
    var holder = try await cluster().kubelet.create(guardedPod("pod-0", key: "ping-pong"))
    var gaps: [Duration] = []
    for number in 1...4 {
      try await holder.wait(for: .appRunning)
      let next = try apply(guardedPod("pod-\(number)", key: "ping-pong"))
      let refusal = try await next.refusal()
      #expect(refusal.code == 403)
      #expect(refusal.message.contains("lock already taken by Pod \(holder.name)"))
      try await holder.delete()
      let terminating = try await holder.wait(for: .sidecarTerminating)
      let successor = try await next.pod()
      gaps.append(try await successor.wait(for: .admitted).at - terminating.at)
      #expect(holder.count(.sidecarExited(.exited(0))) == 1)
      #expect(try #require(successor.object.fencingToken) > #require(holder.object.fencingToken))
      holder = successor
    }
    // One of them at least without other work on this machine in its way.
    #expect(try #require(gaps.min()) < .milliseconds(200), "\(gaps)")
    #expect(try #require(gaps.max()) < .seconds(3), "\(gaps)")
  }

  @Test func theNextPodIsAdmittedWhenTheLeaseOfADeadNodeHasRunOut() async throws {
    let expiration = 6
    let holder = try await cluster().kubelet.create(
      guardedPod("dead", key: "node", expiration: expiration))
    try await holder.wait(for: .appRunning)
    let next = try apply(guardedPod("heir", key: "node"))
    _ = try await next.refusal()
    try await holder.killNode()
    let died = try await holder.wait(for: .nodeDied)
    let heir = try await next.pod()
    let gap = try await heir.wait(for: .admitted).at - died.at
    #expect(gap < .seconds(expiration + 1))
    #expect(try #require(heir.object.fencingToken) > #require(holder.object.fencingToken))
  }

  @Test func aSidecarThatCrashesKeepsItsLock() async throws {
    let pod = try await cluster().kubelet.create(guardedPod("crash", key: "crash"))
    try await pod.wait(for: .appRunning)
    let before = try await pod.lock()
    #expect(before.held && before.fencingToken == pod.object.fencingToken)
    #expect(before.key == "team-a/crash")
    for round in 2...3 {
      pod.killSidecar()
      try await pod.wait(for: .sidecarStarted, count: round)
      let after = try await pod.heldLock()
      #expect(after.fencingToken == before.fencingToken)
    }
    #expect(pod.isAppRunning && pod.count(.appStopped) == 0 && pod.count(.gateOpen) == 1)
    _ = try await cluster().kubelet.refusal(of: guardedPod("other", key: "crash"))
  }

  @Test func aSidecarThatWasFrozenForLongerThanItsLeaseDoesNotClaimToHoldIt() async throws {
    let pod = try await cluster().kubelet.create(
      guardedPod("frozen", key: "frozen", expiration: 6))
    try await pod.wait(for: .appRunning)
    pod.signalSidecars(.stop)
    let usurper = try await apply(guardedPod("usurper", key: "frozen")).pod()
    try await usurper.wait(for: .appRunning)

    // Asked while it is frozen, so that its answer is the first thing that it does.
    async let lock = pod.lock()
    pod.signalSidecars(.resume)
    if let lock = try? await lock { #expect(!lock.held && lock.fencingToken == nil) }
    try await pod.wait(for: .sidecarExited(.exited(42)))
    try await pod.wait(for: .appStopped)
    // Everything starts again, behind a closed gate.
    try await pod.wait(for: .sidecarStarted, count: 2)
    try await expectWaiting(pod)
    #expect(pod.count(.gateOpen) == 1 && usurper.isAppRunning)

    try await usurper.delete()
    try await pod.wait(for: .gateOpen, count: 2)
    try await pod.wait(for: .appRunning, count: 2)
    let after = try await pod.heldLock()
    #expect(try #require(after.fencingToken) > #require(usurper.object.fencingToken))
  }

  @Test func underTheWaitPolicyTheSecondPodStartsWhenTheFirstIsGone() async throws {
    let kubelet = try cluster().kubelet
    let first = try await kubelet.create(guardedPod("first", key: "wait", policy: "wait"))
    try await first.wait(for: .appRunning)
    let second = try await kubelet.create(guardedPod("second", key: "wait", policy: "wait"))
    #expect(second.object.fencingToken == nil)
    #expect(second.object.sidecarToken != first.object.sidecarToken)
    try await expectWaiting(second)
    #expect(!second.isAppRunning && second.count(.gateOpen) == 0)
    try await first.delete()
    try await second.wait(for: .appRunning)
    let lock = try await second.heldLock()
    #expect(try #require(lock.fencingToken) > #require(first.object.fencingToken))
    let stopped = try await first.wait(for: .appStopped).at
    #expect(try await second.wait(for: .appRunning).at > stopped)
  }

  /// Waits until the sidecar says that another holds the lock.
  private func expectWaiting(_ pod: RunningPod) async throws {
    try await eventually("\(pod.name) waits") {
      pod.sidecarOutput.contains { $0.contains("waiting for the lock") } ? true : nil
    }
    let lock = try await pod.lock()
    #expect(!lock.held && lock.fencingToken == nil)
  }
}
