import JSON
import LocalKubelet
import LocalServers
import Testing

/// The semaphore's commands against permits in etcd.
@Suite(.serialized, .cluster { $0.guardWithPermits(etcdMembers: 1) })
struct EtcdPermitCommandTests {
  private func run(_ name: String, key: String, length: Int) async throws -> RunningPod {
    let pod = try await cluster().kubelet.create(permitPod(name, key: key, length: length))
    try await pod.wait(for: .appRunning)
    return pod
  }

  @Test func statusShowsTheNumbersAndWhoHasThePermits() async throws {
    let cluster = try cluster()
    let pod = try await run("shown", key: "shown", length: 3)
    let (claim, _) = try await cluster.kubelet.admit(permitPod("early", key: "shown", length: 3))
    let tokens = [pod.object.sidecarToken, claim.sidecarToken].compactMap { $0 }
    #expect(try await cluster.etcdTokens("shown") == tokens)

    let text = try await cluster.runSemaphore(["status", "team-a/shown"])
    #expect(text.status == .exited(0))
    let columns = text.lines.map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    try #require(text.lines.count == 6, "\(text.text)")
    #expect(columns[1] == ["team-a/shown", "3", "1", "2", "0", "0"])
    #expect(columns.contains { $0.prefix(3) == ["team-a/shown", "shown", "node-of-shown"] })
    #expect(columns.contains { $0.prefix(3) == ["team-a/shown", "early", "(starting)"] })
    for token in tokens { #expect(!text.text.contains(token)) }

    let status = try await cluster.semaphoreStatus("shown")
    #expect(status["key"] == "team-a/shown" && status["length"] == 3)
    #expect(status["queue"] == 1 && status["inFlight"] == 2 && status["stale"] == 0)
    let holders = status["holders"]?.array ?? []
    #expect(holders.count == 2)
    let holder = try #require(holders.first { $0["uid"] == .string(pod.uid) })
    #expect(holder["pod"] == "shown" && holder["node"] == "node-of-shown")
    #expect((0...60_000).contains(holder["silenceMilliseconds"]?.integer ?? -1))

    let all = try await cluster.runSemaphore(["status"])
    #expect(all.lines.contains { $0.hasPrefix("team-a/shown ") })
    let unknown = try await cluster.runSemaphore(["status", "team-a/unknown"])
    #expect(unknown.status == .exited(0) && unknown.lines.last?.contains("team-a/unknown") == true)
  }

  @Test func releaseGivesThePermitBackAndThePodHearsOfIt() async throws {
    let cluster = try cluster()
    let robbed = try await run("robbed", key: "released", length: 1)
    let (claim, _) = try await cluster.kubelet.admit(
      permitPod("claim", key: "released", length: 2))
    let byValue = try await cluster.runSemaphore(
      ["release", "team-a/released", "--value", try #require(claim.sidecarToken)])
    #expect(byValue.text == "released the permit of Pod claim")
    #expect(try await cluster.rawCounts("released") == RawCounts(queue: 1, inFlight: 1))
    let nobody = try await cluster.runSemaphore(["release", "team-a/released", "--pod", "nobody"])
    #expect(nobody.status == .exited(1) && nobody.text.contains("Pod nobody is not in flight"))

    // The Pod's next heartbeat tells it; a permit is free, so it runs on with another.
    let byPod = try await cluster.runSemaphore(["release", "team-a/released", "--pod", "robbed"])
    #expect(byPod.text == "released the permit of Pod robbed")
    try await robbed.log("permit taken\"")
    let tokens = try await cluster.etcdTokens("released")
    #expect(tokens.count == 1 && tokens.first != robbed.object.sidecarToken)
    #expect(robbed.isAppRunning && robbed.count(.appStopped) == 0)

    // With none left it is fenced. Frozen, so that it hears of it when another has the permit.
    robbed.signalSidecars(.stop)
    _ = try await cluster.runSemaphore(["release", "team-a/released", "--pod", "robbed"])
    let (rival, _) = try await cluster.kubelet.admit(
      permitPod("rival", key: "released", length: 1))
    robbed.signalSidecars(.resume)
    try await robbed.wait(for: .sidecarExited(.exited(42)))
    try await robbed.wait(for: .appStopped)
    #expect(try await cluster.etcdTokens("released") == [rival.sidecarToken])
    // Nobody was taken for dead.
    let status = try await cluster.semaphoreStatus("released")
    #expect(status["reclaimed"] == 0 && status["lost"] == 0)
  }

  @Test func resizeStopsNobody() async throws {
    let cluster = try cluster()
    let pods = [
      try await run("first", key: "resized", length: 2),
      try await run("second", key: "resized", length: 2),
    ]
    // By that threshold both would count as dead, had it been theirs.
    for pod in pods { try await pod.nextHeartbeat() }
    let dead = ["--stale-threshold-seconds", "1"]
    let lowered = try await cluster.runSemaphore(["resize", "team-a/resized", "1"] + dead)
    #expect(lowered.status == .exited(0))
    #expect(lowered.text == "team-a/resized: 1 permit, 2 in flight, 0 free")
    let refusal = try await cluster.kubelet.refusal(
      of: permitPod("third", key: "resized", length: 1))
    #expect(refusal.message.contains("2 of 1 permit is in flight"))
    try await pods[0].delete()
    #expect(try await cluster.rawCounts("resized") == RawCounts(queue: 0, inFlight: 1))
    let raised = try await cluster.runSemaphore(["resize", "team-a/resized", "5"])
    #expect(raised.text == "team-a/resized: 5 permits, 1 in flight, 4 free")
    #expect(try await cluster.rawCounts("resized") == RawCounts(queue: 4, inFlight: 1))
    #expect(pods[1].isAppRunning && pods[1].count(.appStopped) == 0)
    #expect(try await cluster.semaphoreStatus("resized")["reclaimed"] == 0)
  }
}
