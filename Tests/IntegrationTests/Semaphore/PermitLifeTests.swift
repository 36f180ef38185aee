import JSON
import LocalKubelet
import LocalServers
import Testing

/// The whole life of a permit, from admission to its end, with real sidecars.
@Suite(.serialized, .cluster { $0.guardWithPermits() }) struct PermitLifeTests {
  /// Creates a Pod and waits until its application runs.
  private func run(_ name: String, key: String, length: Int) async throws -> RunningPod {
    let pod = try await cluster().kubelet.create(permitPod(name, key: key, length: length))
    try await pod.wait(for: .appRunning)
    return pod
  }

  /// A controller that wants a bare Pod to run.
  private func apply(_ name: String, key: String, length: Int) throws -> Workload {
    try cluster().kubelet.apply(Manifest(permitPod(name, key: key, length: length)))
  }

  @Test func theNextPodIsAdmittedAsSoonAsAHolderIsDeleted() async throws {
    let cluster = try cluster()
    var holders = [
      try await run("pod-0", key: "pool", length: 2),
      try await run("pod-1", key: "pool", length: 2),
    ]
    var gaps: [Duration] = []
    for number in 2...5 {
      let next = try apply("pod-\(number)", key: "pool", length: 2)
      let refusal = try await next.refusal()
      #expect(refusal.code == 403)
      #expect(
        refusal.message.hasPrefix(
          "no semaphore available: 2 of 2 permits are in flight; the holder longest without a sign "
            + "of life is Pod "))
      #expect(
        holders.contains {
          refusal.message.contains("Pod \($0.name) on node node-of-\($0.name)")
        }, "\(refusal.message)")
      #expect(refusal.message.hasSuffix(" s ago"))
      let oldest = holders.removeFirst()
      try await oldest.delete()
      let terminating = try await oldest.wait(for: .sidecarTerminating)
      let successor = try await next.pod()
      gaps.append(try await successor.wait(for: .admitted).at - terminating.at)
      #expect(oldest.count(.sidecarExited(.exited(0))) == 1)
      try await successor.wait(for: .appRunning)
      holders.append(successor)
    }
    // One of them at least without other work on this machine in its way.
    #expect(try #require(gaps.min()) < .milliseconds(200), "\(gaps)")
    #expect(try #require(gaps.max()) < .seconds(3), "\(gaps)")
    #expect(try await cluster.rawCounts("pool") == RawCounts(queue: 0, inFlight: 2))
    for holder in holders { try await holder.delete() }
    #expect(try await cluster.rawCounts("pool") == RawCounts(queue: 2, inFlight: 0))
  }

  @Test func aSidecarThatCrashesKeepsItsPermit() async throws {
    let cluster = try cluster()
    let pod = try await run("crash", key: "crash", length: 1)
    let token = try #require(pod.object.sidecarToken)
    #expect(try await pod.lock().key == "team-a/crash")
    for round in 2...3 {
      pod.killSidecar()
      try await pod.wait(for: .sidecarStarted, count: round)
      _ = try await pod.heldLock()
      #expect(try await Array(cluster.permits("crash").keys) == [token])
    }
    #expect(pod.isAppRunning && pod.count(.appStopped) == 0 && pod.count(.gateOpen) == 1)
    _ = try await cluster.kubelet.refusal(of: permitPod("other", key: "crash", length: 1))
    try await pod.delete()
    #expect(try await cluster.rawCounts("crash") == RawCounts(queue: 1, inFlight: 0))
  }

  @Test func underTheWaitPolicyTheNextPodStartsWhenAPermitIsFree() async throws {
    let cluster = try cluster()
    let first = try await run("first", key: "wait", length: 1)
    let second = try await cluster.kubelet.create(
      permitPod("second", key: "wait", length: 1, policy: "wait"))
    try await second.log("waiting for a permit")
    #expect(!second.isAppRunning && second.count(.gateOpen) == 0)
    try await first.delete()
    try await second.wait(for: .appRunning)
    let stopped = try await first.wait(for: .appStopped).at
    #expect(try await second.wait(for: .appRunning).at > stopped)
    #expect(try await cluster.rawCounts("wait") == RawCounts(queue: 0, inFlight: 1))
  }
}
