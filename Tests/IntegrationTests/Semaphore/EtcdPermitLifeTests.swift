import JSON
import LocalKubelet
import LocalServers
import Testing

/// The whole life of a permit on an etcd cluster of three, from admission to its end, with real
/// sidecars.
@Suite(
  .serialized,
  .cluster {
    $0.guardWithPermits(etcdMembers: 3)
    // Long enough for an election on a busy machine.
    $0.kubelet.webhookTimeoutSeconds = 30
  }) struct EtcdPermitLifeTests
{
  /// Creates a Pod and waits until its application runs.
  private func run(_ name: String, key: String, length: Int) async throws -> RunningPod {
    let pod = try await cluster().kubelet.create(permitPod(name, key: key, length: length))
    try await pod.wait(for: .appRunning)
    return pod
  }

  @Test func theNextPodIsAdmittedAsSoonAsAHolderIsDeleted() async throws {
    let cluster = try cluster()
    var holders = [
      try await run("pod-0", key: "pool", length: 2),
      try await run("pod-1", key: "pool", length: 2),
    ]
    for number in 2...4 {
      let next = try cluster.kubelet.apply(
        Manifest(permitPod("pod-\(number)", key: "pool", length: 2)))
      let refusal = try await next.refusal()
      #expect(refusal.code == 403)
      let oldest = holders.removeFirst()
      let text =
        "no semaphore available: 2 of 2 permits are in flight; the holder longest without a sign "
        + "of life is Pod \(oldest.name) on node node-of-\(oldest.name), "
      #expect(refusal.message.hasPrefix(text), "\(refusal.message)")
      #expect(refusal.message.hasSuffix(" s ago"), "\(refusal.message)")
      // Bound to its Pod, which heartbeats do not write anew.
      let bound = try await cluster.etcdPermits("pool")
      try await oldest.nextHeartbeat()
      #expect(try await cluster.etcdPermits("pool") == bound)
      try await oldest.delete()
      #expect(oldest.count(.sidecarExited(.exited(0))) == 1)
      let successor = try await next.pod()
      try await successor.wait(for: .appRunning)
      let remaining = try #require(holders.first?.object.sidecarToken)
      let new = try #require(successor.object.sidecarToken)
      #expect(try await cluster.etcdTokens("pool") == [remaining, new])
      holders.append(successor)
    }
    #expect(try await cluster.rawCounts("pool") == RawCounts(queue: 0, inFlight: 2))
    for holder in holders { try await holder.delete() }
    #expect(try await cluster.rawCounts("pool") == RawCounts(queue: 2, inFlight: 0))
    let status = try await cluster.semaphoreStatus("pool")
    #expect(status["reclaimed"] == 0 && status["lost"] == 0)
    #expect(status["overLengthMilliseconds"] == 0)
  }

  @Test func aSidecarThatCrashesKeepsItsPermit() async throws {
    let cluster = try cluster()
    let pod = try await run("crash", key: "crash", length: 1)
    let token = try #require(pod.object.sidecarToken)
    for round in 2...3 {
      pod.killSidecar()
      try await pod.wait(for: .sidecarStarted, count: round)
      _ = try await pod.heldLock()
      try await pod.log("permit taken over")
      #expect(try await cluster.etcdTokens("crash") == [token])
    }
    #expect(pod.isAppRunning && pod.count(.appStopped) == 0 && pod.count(.gateOpen) == 1)
    // It lives by the heartbeats of the last one.
    try await pod.nextHeartbeat()
    #expect(try await pod.metric("permit_sidecar_crashes_total") == 1)
    let refusal = try await cluster.kubelet.refusal(
      of: permitPod("other", key: "crash", length: 1))
    #expect(refusal.message.contains("1 of 1 permit is in flight"))
    try await pod.delete()
    #expect(try await cluster.rawCounts("crash") == RawCounts(queue: 1, inFlight: 0))
  }

  @Test func noDecisionChangesWhileAMemberStandsStill() async throws {
    let cluster = try cluster()
    let holder = try await run("steady", key: "steady", length: 1)
    let before = try await cluster.etcdPermits("steady")
    // One of them leads the others.
    for (number, member) in cluster.etcd.enumerated() {
      try await member.pause()
      let refusal = try await eventually("the others have a leader") {
        let refusal = try await cluster.kubelet.refusal(
          of: permitPod("late", key: "steady", length: 1))
        return refusal.code == 500 ? nil : refusal
      }
      #expect(refusal.code == 403, "\(refusal.message)")
      #expect(refusal.message.contains("1 of 1 permit is in flight"), "\(refusal.message)")
      #expect(refusal.message.contains("Pod steady on node node-of-steady"))
      let other = try await run("other-\(number)", key: "other", length: 1)
      try await other.delete()
      try await holder.nextHeartbeat()
      try member.resume()
    }
    #expect(try await cluster.etcdPermits("steady") == before)
    #expect(holder.count(.appStopped) == 0 && holder.count(.sidecarStarted) == 1)
    for key in ["steady", "other"] {
      let status = try await cluster.semaphoreStatus(key)
      #expect(status["length"] == 1 && status["reclaimed"] == 0 && status["lost"] == 0)
    }
    #expect(try await cluster.rawCounts("other") == RawCounts(queue: 1, inFlight: 0))
    try await holder.delete()
    #expect(try await cluster.rawCounts("steady") == RawCounts(queue: 1, inFlight: 0))
  }
}
