import JSON
import LocalKubelet
import LocalServers
import Testing

private let staleSeconds = 8

/// The queue's Redis is away for longer than the threshold, and comes back with its data.
@Suite(
  .cluster {
    $0.guardWithPermits(staleAfter: staleSeconds)
    $0.redis.appendOnly = true
  })
struct QueueOutageTests {
  /// Nobody could give a sign of life: the first who asks afterwards may not conclude that all are
  /// dead, not even of a holder that is not back yet.
  @Test func whoHasNotComeBackAfterAnOutageIsNotTakenForDead() async throws {
    let cluster = try cluster()
    let clock = UnixClock()
    let pod = try await cluster.kubelet.create(permitPod("holder", key: "outage", length: 1))
    try await pod.wait(for: .appRunning)
    let token = try #require(pod.object.sidecarToken)
    // Its sidecar does not notice when the outage is over.
    pod.signalSidecars(.stop)
    try await cluster.queue.kill()
    // The outage is what is tested.
    try await Task.sleep(for: .seconds(staleSeconds + 1))
    try await cluster.queue.restart()
    let restarted = clock.time(of: ContinuousClock.now)

    let code = try await eventually("the webhook has its queue again") {
      do {
        _ = try await cluster.kubelet.create(permitPod("other", key: "outage", length: 1))
        return 200
      } catch let refusal as PodRefusal {
        return refusal.code == 500 ? nil : refusal.code
      }
    }
    #expect(code == 403)
    #expect(try await Array(cluster.permits("outage").keys) == [token])

    pod.signalSidecars(.resume)
    try await eventually("it gives a sign of life") {
      try await cluster.permits("outage")[token] ?? 0 > restarted ? true : nil
    }
    #expect(try await pod.heldLock().held)
    #expect(pod.isAppRunning && pod.count(.appStopped) == 0 && pod.count(.sidecarStarted) == 1)
    #expect(try await cluster.semaphoreStatus("outage")["reclaimed"] == 0)
  }
}
