import JSON
import LocalKubelet
import LocalServers
import Testing

private let staleSeconds = 5

/// Holders whose lease runs out in etcd: their permits go to others, and some of them come back.
@Suite(.serialized, .cluster { $0.guardWithPermits(staleAfter: staleSeconds, etcdMembers: 3) })
struct EtcdStalePermitTests {
  /// Creates a Pod and waits until its application runs.
  private func run(_ name: String, key: String, length: Int) async throws -> RunningPod {
    let pod = try await cluster().kubelet.create(permitPod(name, key: key, length: length))
    try await pod.wait(for: .appRunning)
    return pod
  }

  @Test func thePermitOfADeadNodeIsBackAfterTheThreshold() async throws {
    let cluster = try cluster()
    let survivor = try await run("survivor", key: "node", length: 2)
    let asked = ContinuousClock.now
    let dead = try await run("dead", key: "node", length: 2)
    let next = try cluster.kubelet.apply(Manifest(permitPod("heir", key: "node", length: 2)))
    _ = try await next.refusal()
    try await dead.killNode()
    let heir = try await next.pod()
    // Its first heartbeat, if not a later one, was after it had asked.
    #expect(try await heir.wait(for: .admitted).at - asked > .seconds(staleSeconds))
    try await heir.wait(for: .appRunning)
    let tokens = [survivor.object.sidecarToken, heir.object.sidecarToken].compactMap { $0 }
    #expect(try await cluster.etcdTokens("node") == tokens)
    #expect(survivor.count(.appStopped) == 0 && survivor.count(.sidecarStarted) == 1)
    let status = try await cluster.semaphoreStatus("node")
    #expect(status["reclaimed"] == 1 && status["lost"] == 0)
    #expect(status["overLengthMilliseconds"] == 0)
  }

  @Test func aFrozenSidecarThatFindsNoPermitStopsItsPodAndTheOverlapIsCounted() async throws {
    let cluster = try cluster()
    let asked = ContinuousClock.now
    let pod = try await run("frozen", key: "frozen", length: 1)
    pod.signalSidecars(.stop)
    let (usurper, _) = try await cluster.kubelet.createWhenAdmitted(
      permitPod("usurper", key: "frozen", length: 1))
    let admitted = try await usurper.wait(for: .admitted).at
    #expect(admitted - asked > .seconds(staleSeconds))
    try await usurper.wait(for: .appRunning)
    #expect(pod.isAppRunning)
    let its = try await cluster.etcdPermits("frozen")
    #expect(try await cluster.etcdTokens("frozen") == [usurper.object.sidecarToken])
    // Its metrics count from the webhook's first look on.
    try await eventually("the webhook has seen the semaphore") {
      try await cluster.metric("at_least_semaphore_length", "frozen") == 1 ? true : nil
    }

    let resumed = ContinuousClock.now
    pod.signalSidecars(.resume)
    let told = try await pod.wait(for: .sidecarExited(.exited(42))).at
    try await pod.wait(for: .appStopped)
    try await pod.wait(for: .sidecarStarted, count: 2)
    try await pod.log("waiting for a permit")
    #expect(try await !pod.lock().held && pod.count(.gateOpen) == 1)
    #expect(usurper.isAppRunning && usurper.count(.sidecarStarted) == 1)
    #expect(try await cluster.etcdPermits("frozen") == its)

    // From when the lease had run out, less its drift, until the old sidecar was told.
    let status = try await cluster.semaphoreStatus("frozen")
    #expect(status["reclaimed"] == 1 && status["lost"] == 1)
    let milliseconds = status["overLengthMilliseconds"]?.integer ?? 0
    let counted = Duration.milliseconds(milliseconds)
    #expect(counted >= resumed - admitted - .milliseconds(10), "\(counted)")
    #expect(counted <= told - asked - .seconds(staleSeconds) * 0.98, "\(counted)")

    try await usurper.delete()
    try await pod.wait(for: .gateOpen, count: 2)
    try await pod.wait(for: .appRunning, count: 2)
    #expect(try await pod.heldLock().held)
    #expect(try await cluster.rawCounts("frozen") == RawCounts(queue: 0, inFlight: 1))
    try await eventually("the metric shows it") {
      let shown = try await cluster.metric("at_least_semaphore_over_length_seconds_total", "frozen")
      return abs((shown ?? 0) - Double(milliseconds) / 1000) < 0.001 ? true : nil
    }
  }
}
