import LocalKubelet
import LocalServers

extension Demonstration {
  /// Two Deployments with one key: refusal, a dead store member, a crashed sidecar, a graceful
  /// stop, a dead node.
  func playDeployments(
    _ first: Manifest, _ second: Manifest, in cluster: LocalCluster
  ) async throws {
    let expiration = Int(first.annotation("\(Self.annotation)expiration") ?? "") ?? 0
    narrator.title(
      "The Deployments \(first.name) and \(second.name) share the key "
        + "\"\(first.annotation("\(Self.annotation)key") ?? "")\" (expiration: \(expiration) s)")
    let blue = cluster.kubelet.apply(first)
    let holder = try await begin(blue)
    let green = cluster.kubelet.apply(second)
    let refusal = try await green.refusal()
    narrator.check(refusal.code == 403, "\(green.name) is refused: \(refusal.message)")

    try await loseRedis(cluster.redis[1], holder: holder, contender: green)
    try await crashSidecar(of: holder)
    let next = try await handOver(from: blue, to: green)
    try await cluster.redis[1].restart(empty: true)
    narrator.say("the killed Redis server is back, and empty")
    blue.scaleUp()
    let again = try await blue.refusal(after: blue.refusals.count)
    narrator.check(again.code == 403, "\(blue.name), scaled up again, is refused")
    try await loseNode(of: next, expiration: expiration, successor: blue)
    try await blue.scaleDown()
    note(end: "graceful stop")
  }

  /// Waits until a workload's newest Pod runs, and tells it.
  @discardableResult
  func begin(_ workload: Workload, pod count: Int = 1) async throws -> RunningPod {
    let pod = try await workload.pod(count)
    let token = Int(pod.annotation("\(Self.annotation)fencing-token") ?? "")
    let key = pod.annotation("\(Self.annotation)key") ?? ""
    runs.append(Run(pod: pod, key: key, token: token, end: "-"))
    let running = try await pod.wait(for: .appRunning)
    let admitted = try await pod.wait(for: .admitted)
    let tokenText = token.map { "\($0)" } ?? "missing"
    narrator.check(
      token != nil,
      "\(pod.name) is admitted with fencing token \(tokenText); its sidecar took over the lock, "
        + "and its application runs \(brief(running.at - admitted.at)) later")
    return pod
  }

  /// Remembers how the last run ended.
  func note(end: String) {
    if !runs.isEmpty { runs[runs.count - 1].end = end }
  }

  private func loseRedis(
    _ server: RedisServer, holder: RunningPod, contender: Workload
  ) async throws {
    let before = try await holder.lock()
    try await server.kill()
    narrator.say("one of the three Redis servers is killed (port \(server.port))")
    let refused = contender.refusals.count
    let refusal = try await contender.refusal(after: refused)
    narrator.check(
      refusal.code == 403, "\(contender.name) is still refused: two of three are a majority")
    let after = try await lock(of: holder, "is renewed") { lock in
      // At least two seconds later: more than a rounding of the same moment.
      lock.held
        && (Self.secondOfDay(lock.expiresAt) - Self.secondOfDay(before.expiresAt) + 86_400) % 86_400
          >= 2
    }
    narrator.check(
      after.held && after.fencingToken == before.fencingToken,
      "\(holder.name) renewed its lock with the other two, fencing token still "
        + "\(after.fencingToken ?? 0)")
  }

  private func crashSidecar(of pod: RunningPod) async throws {
    let before = try await pod.lock()
    pod.killSidecar()
    narrator.say("the sidecar of \(pod.name) crashes (SIGKILL)")
    try await pod.wait(for: .sidecarStarted, count: 2)
    let after = try await lock(of: pod, "is held again") { $0.held }
    narrator.check(
      after.fencingToken == before.fencingToken && pod.isAppRunning,
      "started again, it holds the same lock: fencing token still \(after.fencingToken ?? 0); "
        + "the application never stopped")
  }

  private func handOver(from old: Workload, to new: Workload) async throws -> RunningPod {
    let pod = try await old.pod()
    narrator.say("\(old.name) is scaled down: its application gets SIGTERM, then its sidecar")
    try await old.scaleDown()
    note(end: "graceful stop")
    let successor = try await begin(new)
    let stopping = try await pod.wait(for: .sidecarTerminating)
    let admitted = try await successor.wait(for: .admitted)
    let gap = admitted.at - stopping.at
    narrator.check(
      gap < .milliseconds(200),
      "\(new.name) was admitted \(brief(gap)) after the sidecar of \(old.name) got SIGTERM")
    return successor
  }

  private func loseNode(
    of pod: RunningPod, expiration: Int, successor: Workload
  ) async throws {
    try await pod.killNode()
    note(end: "node died")
    let died = try await pod.wait(for: .nodeDied)
    narrator.say("the node of \(pod.name) dies: everything on it is killed, nobody is told")
    let next = try await begin(successor, pod: successor.pods.count + 1)
    let gap = try await next.wait(for: .admitted).at - died.at
    narrator.check(
      gap < .seconds(expiration + 1),
      "\(successor.name) was admitted \(brief(gap)) after the node died "
        + "(at most \(expiration) s + 1 s)")
  }

  /// Of `2026-11-21T09:15:00.123Z`, the part after the date, in seconds.
  private static func secondOfDay(_ timestamp: String?) -> Int {
    let time = (timestamp ?? "").split(separator: "T").last?.prefix(8) ?? ""
    return time.split(separator: ":").reduce(0) { $0 * 60 + (Int($1) ?? 0) }
  }

  /// Asks a sidecar until its answer is as expected; ten seconds at most.
  private func lock(
    of pod: RunningPod, _ expectation: String,
    where isExpected: @escaping @Sendable (SidecarLock) -> Bool
  ) async throws -> SidecarLock {
    try await withDeadline(.seconds(10), "the lock of \(pod.name) \(expectation)") {
      while true {
        if let lock = try? await pod.lock(), isExpected(lock) { return lock }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }
}
