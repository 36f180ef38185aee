import JSON
import LocalKubelet
import LocalServers

extension Demonstration {
  private static let staleSeconds = 3
  /// Shorter than anybody would set them, for an impatient audience.
  static let semaphoreArguments = [
    "--heartbeat-interval-seconds", "1", "--stale-threshold-seconds", "\(staleSeconds)",
  ]
  private static let semaphoreAnnotation = "\(HookProgram.atLeastSemaphore.domain)/"

  /// Three Pods and two permits: refusal, a frozen sidecar that comes back, a dead node, a graceful
  /// stop.
  func playSemaphore(_ manifest: Manifest, in cluster: LocalCluster) async throws {
    let key = manifest.annotation("\(Self.semaphoreAnnotation)key") ?? ""
    let length = manifest.annotation("\(Self.semaphoreAnnotation)length") ?? ""
    narrator.title(
      "The Deployment \(manifest.name) wants three Pods; the semaphore \"\(key)\" has \(length) "
        + "permits (a holder counts as dead after \(Self.staleSeconds) s)")
    let replicas = (0..<2).map { _ in cluster.kubelet.apply(manifest) }
    let frozen = try await run(replicas[0], key)
    let dying = try await run(replicas[1], key)
    let third = cluster.kubelet.apply(manifest)
    let refusal = try await third.refusal()
    narrator.check(refusal.code == 403, "the third Pod is refused: \(refusal.message)")

    frozen.signalSidecars(.stop)
    narrator.say("the sidecar of \(frozen.name) freezes (SIGSTOP); its application runs on")
    let newcomer = try await run(third, key)
    narrator.check(
      frozen.isAppRunning && dying.isAppRunning,
      "for want of heartbeats its permit was reclaimed: three run, one of them taken for dead")
    try await comeBack(frozen, key, in: cluster)
    try await replace(dying, by: frozen)
    try await third.scaleDown()
    note(endOf: newcomer, "graceful stop")
    narrator.say("\(newcomer.name) is scaled down: its permit is back in the queue; `status` says")
    for line in try await status(key, in: cluster, output: "text") {
      narrator.plain("        \(line)")
    }
    try await replicas[0].scaleDown()
    note(endOf: frozen, "graceful stop")
  }

  private func run(_ workload: Workload, _ key: String) async throws -> RunningPod {
    let pod = try await workload.pod()
    runs.append(Run(pod: pod, key: key, token: nil, end: "-"))
    let running = try await pod.wait(for: .appRunning)
    let admitted = try await pod.wait(for: .admitted)
    narrator.say(
      "\(pod.name) is admitted with a permit, and runs \(brief(running.at - admitted.at)) later")
    return pod
  }

  /// The frozen sidecar wakes up, learns that its permit is another's, and finds none free.
  private func comeBack(
    _ pod: RunningPod, _ key: String, in cluster: LocalCluster
  ) async throws {
    let woken = ContinuousClock.now
    pod.signalSidecars(.resume)
    try await pod.wait(for: .sidecarExited(.exited(42)))
    let stopped = try await pod.wait(for: .appStopped)
    narrator.check(
      !pod.isAppRunning,
      "the sidecar wakes up and is told: no permit is free, so it stops its Pod's containers "
        + "(exit 42) \(brief(stopped.at - woken)) later; they wait behind the gate")
    let answer = try await status(key, in: cluster, output: "json").joined()
    let overLength = try JSONValue(parsing: answer).array?.first?["overLengthMilliseconds"]?.integer
    narrator.check(
      (overLength ?? 0) > 0,
      "the store has counted for how long one Pod too many ran: "
        + brief(.milliseconds(overLength ?? 0)))
  }

  /// A node dies; who waits gets its permit.
  private func replace(_ dying: RunningPod, by waiting: RunningPod) async throws {
    try await dying.killNode()
    note(endOf: dying, "node died")
    narrator.say("the node of \(dying.name) dies")
    let died = try await dying.wait(for: .nodeDied)
    let running = try await waiting.wait(for: .appRunning, count: 2)
    narrator.check(
      running.at - died.at < .seconds(Self.staleSeconds + 3),
      "\(waiting.name), which waited, runs again \(brief(running.at - died.at)) later")
  }

  private func note(endOf pod: RunningPod, _ end: String) {
    for index in runs.indices where runs[index].pod === pod { runs[index].end = end }
  }

  /// What `at-least-semaphore-pod-hook status` prints.
  private func status(
    _ key: String, in cluster: LocalCluster, output: String
  ) async throws -> [String] {
    let process = try await cluster.processes.start(
      LocalProcess.Command(
        name: "status", executable: executables[.atLeastSemaphore],
        arguments: [
          "status", "default/\(key)", "--key-prefix", LocalCluster.semaphorePrefix,
          "--queue-redis-address", cluster.redis[0].address, "--output", output,
        ]))
    _ = try await withDeadline(.seconds(10), "status ends") { try await process.waitForExit() }
    return process.output
  }
}
