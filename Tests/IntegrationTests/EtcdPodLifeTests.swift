import JSON
import LocalKubelet
import LocalServers
import Testing

/// The whole life of a lock on an etcd cluster of three.
@Suite(
  .serialized,
  .cluster {
    $0.redisCount = 0; $0.etcdCount = 3
  }) struct EtcdPodLifeTests
{
  private func apply(_ pod: JSONValue) throws -> Workload {
    try cluster().kubelet.apply(Manifest(pod))
  }

  private func run(_ name: String, key: String, expiration: Int = 30) async throws -> RunningPod {
    let pod = try await cluster().kubelet.create(
      guardedPod(name, key: key, expiration: expiration))
    try await pod.wait(for: .appRunning)
    return pod
  }

  @Test func theNextPodIsAdmittedAsSoonAsTheHolderIsDeleted() async throws {
    var holder = try await run("pod-0", key: "ping-pong")
    for number in 1...3 {
      let next = try apply(guardedPod("pod-\(number)", key: "ping-pong"))
      #expect(try await next.refusal().message.contains("taken by Pod \(holder.name)"))
      try await holder.delete()
      let successor = try await next.pod()
      try await successor.wait(for: .appRunning)
      #expect(holder.count(.sidecarExited(.exited(0))) == 1)
      #expect(try #require(successor.object.fencingToken) > #require(holder.object.fencingToken))
      holder = successor
    }
    try await holder.delete()
  }

  @Test func theNextPodIsAdmittedWhenTheLeaseOfADeadNodeHasRunOut() async throws {
    let holder = try await run("dead", key: "node", expiration: 5)
    let next = try apply(guardedPod("heir", key: "node"))
    _ = try await next.refusal()
    try await holder.killNode()
    let heir = try await next.pod()
    #expect(try #require(heir.object.fencingToken) > #require(holder.object.fencingToken))
  }

  @Test func aSidecarThatCrashesKeepsItsLock() async throws {
    let pod = try await run("crash", key: "crash")
    let before = try await pod.heldLock()
    #expect(before.fencingToken == pod.object.fencingToken)
    pod.killSidecar()
    try await pod.wait(for: .sidecarStarted, count: 2)
    #expect(try await pod.heldLock().fencingToken == before.fencingToken)
    #expect(pod.count(.appStopped) == 0)
  }

  @Test func aSidecarThatWasFrozenFindsOutBeforeItSaysThatItHolds() async throws {
    let holder = try await run("frozen", key: "frozen", expiration: 4)
    let next = try apply(guardedPod("thawed", key: "frozen", expiration: 4))
    _ = try await next.refusal()
    holder.signalSidecars(.stop)
    let successor = try await next.pod()
    try await successor.wait(for: .appRunning)
    holder.signalSidecars(.resume)
    try await holder.wait(for: .sidecarExited(.exited(42)))
    try await holder.wait(for: .appStopped)
    #expect(try await successor.heldLock().held)
    // Started again, it waits behind its gate.
    try await holder.wait(for: .sidecarStarted, count: 2)
    #expect(holder.count(.appRunning) == 1)
  }

  @Test func noDecisionChangesWhileAMemberIsAway() async throws {
    let cluster = try cluster()
    let holder = try await run("steady", key: "steady", expiration: 30)
    let before = try await holder.heldLock()
    for (number, member) in cluster.etcd.enumerated() {
      if number == 1 { try await member.pause() } else { try await member.kill() }
      let refusal = try await cluster.kubelet.refusal(of: guardedPod("late", key: "steady"))
      #expect(refusal.code == 403 && refusal.message.contains("taken by Pod steady"))
      let other = try await run("other-\(number)", key: "other")
      try await other.delete()
      let after = try await holder.heldLock()
      #expect(after.fencingToken == before.fencingToken)
      if number == 1 { try member.resume() } else { try await member.restart() }
    }
    #expect(holder.count(.appStopped) == 0 && holder.count(.sidecarStarted) == 1)
    try await holder.delete()
  }

  @Test func statusAndReleaseKnowTheLock() async throws {
    let cluster = try cluster()
    let pod = try await run("shown", key: "a/b c")
    let store = [
      "--lock-mode", "etcd", "--etcd-addresses",
      cluster.etcd.map(\.address).joined(separator: ","),
    ]
    let status = try await cluster.processes.run(
      ["status", "team-a/a/b c", "--output", "json"] + store)
    let lock = try #require(status.json?.array?.first)
    #expect(lock["held"] == true && lock["holder"]?["pod"] == "shown")
    #expect(lock["fencingToken"]?.integer == pod.object.fencingToken)
    let release = try await cluster.processes.run(
      ["release", "team-a/a/b c", "--force"] + store)
    #expect(release.status == .exited(0) && release.text.contains("released"))
    try await pod.wait(for: .sidecarExited(.exited(42)))
  }
}
