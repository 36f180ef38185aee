import JSON
import LocalKubelet
import LocalServers
import Testing

private let staleSeconds = 5

/// Holders without a sign of life: their permits go to others, and some of them come back.
@Suite(.serialized, .cluster { $0.guardWithPermits(staleAfter: staleSeconds) })
struct StalePermitTests {
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

  @Test func thePermitOfADeadNodeIsBackAfterTheThreshold() async throws {
    let cluster = try cluster()
    let clock = UnixClock()
    let survivor = try await run("survivor", key: "node", length: 2)
    let dead = try await run("dead", key: "node", length: 2)
    let next = try apply("heir", key: "node", length: 2)
    _ = try await next.refusal()
    try await dead.killNode()
    let lastHeartbeat = try #require(
      try await cluster.permits("node")[dead.object.sidecarToken ?? ""])
    let died = try await dead.wait(for: .nodeDied)
    let admitted = try await next.pod().wait(for: .admitted)
    #expect(clock.time(of: admitted.at) - lastHeartbeat > Double(staleSeconds) - 0.01)
    #expect(admitted.at - died.at < .seconds(staleSeconds + 3))
    #expect(survivor.count(.appStopped) == 0)
    let status = try await cluster.semaphoreStatus("node")
    #expect(status["reclaimed"] == 1 && status["lost"] == 0)
    #expect(status["overLengthMilliseconds"] == 0)
  }

  @Test func aFrozenSidecarThatFindsNoPermitStopsItsPodAndTheOverlapIsCounted() async throws {
    let cluster = try cluster()
    let pod = try await run("frozen", key: "frozen", length: 1)
    // Its metrics count from the webhook's first look on.
    try await eventually("the webhook has seen the semaphore") {
      try await cluster.metric("at_least_semaphore_length", "frozen") == 1 ? true : nil
    }
    pod.signalSidecars(.stop)
    let (usurper, asked) = try await cluster.kubelet.createWhenAdmitted(
      permitPod("usurper", key: "frozen", length: 1))
    let admitted = try await usurper.wait(for: .admitted).at
    try await usurper.wait(for: .appRunning)
    #expect(pod.isAppRunning)
    let its = try await Array(cluster.permits("frozen").keys)
    #expect(its == [usurper.object.sidecarToken ?? ""])

    let resumed = ContinuousClock.now
    pod.signalSidecars(.resume)
    let told = try await pod.wait(for: .sidecarExited(.exited(42))).at
    try await pod.wait(for: .appStopped)
    try await pod.wait(for: .sidecarStarted, count: 2)
    try await pod.log("waiting for a permit")
    let lock = try await pod.lock()
    #expect(!lock.held && pod.count(.gateOpen) == 1 && usurper.isAppRunning)
    #expect(try await Array(cluster.permits("frozen").keys) == its)

    // From after the newcomer asked until the old sidecar was told: between what was seen of both.
    let status = try await cluster.semaphoreStatus("frozen")
    #expect(status["reclaimed"] == 1 && status["lost"] == 1)
    let counted = Duration.milliseconds(status["overLengthMilliseconds"]?.integer ?? 0)
    let tolerance = Duration.milliseconds(10)
    #expect(counted >= resumed - admitted - tolerance, "\(counted)")
    #expect(counted <= told - asked + tolerance, "\(counted)")
    try await eventually("the metric shows it") {
      let name = "at_least_semaphore_over_length_seconds_total"
      let shown = try await cluster.metric(name, "frozen") ?? 0
      return abs(shown - Double(status["overLengthMilliseconds"]?.integer ?? 0) / 1000) < 0.001
        ? true : nil
    }

    try await usurper.delete()
    try await pod.wait(for: .gateOpen, count: 2)
    try await pod.wait(for: .appRunning, count: 2)
    #expect(try await pod.heldLock().held)
    #expect(try await cluster.rawCounts("frozen") == RawCounts(queue: 0, inFlight: 1))
  }

  @Test func aFrozenSidecarThatFindsAFreePermitTakesItAndNothingStops() async throws {
    let cluster = try cluster()
    let pod = try await run("patient", key: "again", length: 1)
    pod.signalSidecars(.stop)
    let usurper = try await apply("guest", key: "again", length: 1).pod()
    try await usurper.wait(for: .appRunning)
    try await usurper.delete()
    #expect(try await cluster.rawCounts("again") == RawCounts(queue: 1, inFlight: 0))

    pod.signalSidecars(.resume)
    try await pod.log("permit was reclaimed")
    try await pod.log("permit taken\"")
    #expect(try await pod.heldLock().held)
    let permits = try await cluster.permits("again")
    #expect(permits.count == 1 && permits[pod.object.sidecarToken ?? ""] == nil)
    #expect(pod.isAppRunning && pod.count(.appStopped) == 0)
    #expect(pod.count(.sidecarStarted) == 1)

    // A crash right after: the next sidecar finds the permit that its Pod took meanwhile.
    pod.killSidecar()
    try await pod.wait(for: .sidecarStarted, count: 2)
    _ = try await pod.heldLock()
    #expect(try await cluster.permits("again").keys == permits.keys)
    #expect(pod.isAppRunning && pod.count(.appStopped) == 0)
    try await pod.delete()
    #expect(try await cluster.rawCounts("again") == RawCounts(queue: 1, inFlight: 0))
  }
}
