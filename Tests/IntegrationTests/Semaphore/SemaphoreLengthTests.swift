import JSON
import LocalKubelet
import LocalServers
import Testing

/// The length of a semaphore changes while Pods run.
@Suite(.serialized, .cluster { $0.guardWithPermits() }) struct SemaphoreLengthTests {
  private func run(_ name: String, key: String, length: Int) async throws -> RunningPod {
    let pod = try await cluster().kubelet.create(permitPod(name, key: key, length: length))
    try await pod.wait(for: .appRunning)
    return pod
  }

  private func expectRefusal(
    _ key: String, length: Int, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let refusal = try await cluster().kubelet.refusal(
      of: permitPod("refused", key: key, length: length))
    #expect(refusal.code == 403, sourceLocation: sourceLocation)
    #expect(
      refusal.message.contains(text), "\(refusal.message)", sourceLocation: sourceLocation)
  }

  @Test func aLoweredLengthDrainsWithoutStoppingAnyone() async throws {
    let cluster = try cluster()
    let pods = [
      try await run("one", key: "drain", length: 3), try await run("two", key: "drain", length: 3),
      try await run("three", key: "drain", length: 3),
    ]
    try await expectRefusal("drain", length: 1, "3 of 1 permit is in flight")
    for (number, pod) in pods.enumerated() where number < 2 {
      try await pod.delete()
      #expect(
        try await cluster.rawCounts("drain") == RawCounts(queue: 0, inFlight: 2 - number))
      try await expectRefusal("drain", length: 1, "\(2 - number) of 1 permit")
    }
    #expect(pods[2].isAppRunning && pods[2].count(.appStopped) == 0)
    try await pods[2].delete()
    #expect(try await cluster.rawCounts("drain") == RawCounts(queue: 1, inFlight: 0))
    _ = try await run("four", key: "drain", length: 1)
  }

  @Test func aRaisedLengthAdmitsAtOnce() async throws {
    let cluster = try cluster()
    _ = try await run("one", key: "raise", length: 1)
    try await expectRefusal("raise", length: 1, "1 of 1 permit is in flight")
    _ = try await run("two", key: "raise", length: 3)
    #expect(try await cluster.rawCounts("raise") == RawCounts(queue: 1, inFlight: 2))
  }

  @Test func resizeStopsNobody() async throws {
    let cluster = try cluster()
    let pods = [
      try await run("first", key: "resized", length: 2),
      try await run("second", key: "resized", length: 2),
    ]
    // With a threshold by which both count as dead, had it been theirs.
    try await pods[0].log("permit taken over")
    let dead = ["--stale-threshold-seconds", "1"]
    try await Task.sleep(for: .seconds(1.1))
    let lowered = try await cluster.runSemaphore(["resize", "team-a/resized", "1"] + dead)
    #expect(lowered.status == .exited(0))
    #expect(lowered.text == "team-a/resized: 1 permit, 2 in flight, 0 free")
    let raised = try await cluster.runSemaphore(["resize", "team-a/resized", "5"])
    #expect(raised.text == "team-a/resized: 5 permits, 2 in flight, 3 free")
    #expect(try await cluster.rawCounts("resized") == RawCounts(queue: 3, inFlight: 2))
    for pod in pods { #expect(pod.isAppRunning && pod.count(.appStopped) == 0) }
  }

  /// Who waits has stated its length once; after that the last one counts for it too.
  @Test func aPodThatWaitsGoesByTheLengthThatWasStatedLast() async throws {
    let cluster = try cluster()
    let first = try await run("first", key: "waiting", length: 2)
    let second = try await run("second", key: "waiting", length: 2)
    let waiting = try await cluster.kubelet.create(
      permitPod("third", key: "waiting", length: 2, policy: "wait"))
    try await waiting.log("waiting for a permit")
    _ = try await cluster.runSemaphore(["resize", "team-a/waiting", "1"])
    try await first.delete()
    #expect(try await cluster.rawCounts("waiting") == RawCounts(queue: 0, inFlight: 1))
    // Two looks of the one that waits: it does not take the permit that is no more.
    let script = "return redis.call('HGET', 'semaphore:semaphore/team-a/waiting', 'length')"
    let clock = ContinuousClock.now
    while ContinuousClock.now - clock < .seconds(3) {
      #expect(try await cluster.ask(cluster.queue, "EVAL", script, "0") == ["1"])
      try await Task.sleep(for: .milliseconds(100))
    }
    #expect(!waiting.isAppRunning && second.isAppRunning)
    _ = try await cluster.runSemaphore(["resize", "team-a/waiting", "2"])
    try await waiting.wait(for: .appRunning)
    #expect(try await cluster.rawCounts("waiting") == RawCounts(queue: 0, inFlight: 2))
    #expect(second.count(.appStopped) == 0)
  }

  @Test func releaseByPodOrByValueGivesThePermitBackAndThePodHearsOfIt() async throws {
    let cluster = try cluster()
    let robbed = try await run("robbed", key: "released", length: 1)
    let (claim, _) = try await cluster.kubelet.admit(
      permitPod("claim", key: "released", length: 2))
    let wrong = try await cluster.runSemaphore(
      ["release", "team-a/released", "--value", "nonsense"])
    #expect(wrong.status == .exited(1))
    #expect(wrong.text == "error: not released: that permit is not in flight for team-a/released")
    let byValue = try await cluster.runSemaphore(
      ["release", "team-a/released", "--value", try #require(claim.sidecarToken)])
    #expect(byValue.status == .exited(0))
    #expect(byValue.text == "released the permit of Pod claim")
    #expect(try await cluster.rawCounts("released") == RawCounts(queue: 1, inFlight: 1))

    let nobody = try await cluster.runSemaphore(["release", "team-a/released", "--pod", "nobody"])
    #expect(nobody.status == .exited(1) && nobody.text.contains("Pod nobody is not in flight"))
    let byPod = try await cluster.runSemaphore(["release", "team-a/released", "--pod", "robbed"])
    #expect(byPod.text == "released the permit of Pod robbed")
    // The Pod's next heartbeat tells it; a permit is free, so it runs on with another.
    try await robbed.log("permit taken\"")
    let permits = try await cluster.permits("released")
    #expect(permits.count == 1 && permits[robbed.object.sidecarToken ?? ""] == nil)
    #expect(robbed.isAppRunning && robbed.count(.appStopped) == 0)

    // With none left it is fenced. Frozen, so that it hears of it when another has the permit.
    robbed.signalSidecars(.stop)
    _ = try await cluster.runSemaphore(["release", "team-a/released", "--pod", "robbed"])
    _ = try await cluster.kubelet.admit(permitPod("rival", key: "released", length: 1))
    robbed.signalSidecars(.resume)
    try await robbed.wait(for: .sidecarExited(.exited(42)))
    try await robbed.wait(for: .appStopped)
  }

  @Test func statusShowsTheNumbersAndWhoHasThePermits() async throws {
    let cluster = try cluster()
    let pod = try await run("shown", key: "shown", length: 3)
    let (claim, _) = try await cluster.kubelet.admit(permitPod("early", key: "shown", length: 3))
    let tokens = [pod.object.sidecarToken, claim.sidecarToken].compactMap { $0 }
    #expect(tokens.count == 2)

    let text = try await cluster.runSemaphore(["status", "team-a/shown"])
    #expect(text.status == .exited(0))
    let columns = text.lines.map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(text.lines.count == 6, "\(text.text)")
    #expect(columns[0] == ["KEY", "LENGTH", "QUEUE", "IN", "FLIGHT", "STALE", "RECLAIMED"])
    #expect(columns[1] == ["team-a/shown", "3", "1", "2", "0", "0"])
    #expect(columns[3] == ["KEY", "POD", "NODE", "AGE", "LAST", "HEARTBEAT"])
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
}
