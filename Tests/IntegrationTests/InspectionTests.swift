import JSON
import LocalKubelet
import LocalServers
import Testing

/// `status` and `release`.
@Suite(.serialized, .cluster { $0.redisCount = 1 }) struct InspectionTests {
  private func run(_ arguments: String...) async throws -> FinishedCommand {
    let cluster = try cluster()
    return try await cluster.processes.run(
      arguments + ["--redis-addresses", cluster.redis.map(\.address).joined(separator: ",")])
  }

  @Test func statusShowsWhoHoldsALock() async throws {
    let pod = try await cluster().kubelet.create(guardedPod("shown", key: "shown"))
    try await pod.wait(for: .appRunning)
    let (starting, _) = try await cluster().kubelet.admit(guardedPod("early", key: "early"))

    let text = try await run("status", "team-a/shown")
    #expect(text.status == .exited(0))
    #expect(text.lines.count == 2)
    let columns = ["KEY", "POD", "NODE", "AGE", "TIME LEFT", "FENCING TOKEN"]
    for column in columns { #expect(text.lines.first?.contains(column) == true) }
    #expect(text.lines.last?.hasPrefix("team-a/shown   shown   node-of-shown   ") == true)

    let all = try await run("status")
    #expect(all.lines.contains { $0.hasPrefix("team-a/shown") })
    #expect(all.lines.contains { $0.hasPrefix("team-a/early") && $0.contains("(starting)") })
    #expect(!all.text.contains(try #require(starting.sidecarToken)))

    let json = try await run("status", "team-a/shown", "--output", "json")
    let lock = try #require(json.json?.array?.first)
    #expect(lock["key"] == "team-a/shown")
    #expect(lock["held"] == true)
    #expect(lock["fencingToken"]?.integer == pod.object.fencingToken)
    #expect((1...30_000).contains(lock["timeLeftMilliseconds"]?.integer ?? 0))
    #expect(lock["holder"]?["pod"] == "shown")
    #expect(lock["holder"]?["uid"] == .string(pod.uid))
    #expect(lock["holder"]?["node"] == "node-of-shown")
    #expect(!json.text.contains(try #require(pod.object.sidecarToken)))

    let free = try await run("status", "team-a/nobody", "--output", "json")
    #expect(free.json?.array?.first?["held"] == false)
    #expect(try await run("status", "team-a/nobody").text.contains("(free)"))
  }

  @Test func releaseNeedsTheTokenOrForce() async throws {
    let kubelet = try cluster().kubelet
    let (first, _) = try await kubelet.admit(guardedPod("first", key: "released"))
    let token = try #require(first.sidecarToken)

    let wrong = try await run("release", "team-a/released", "--value", "wrong")
    #expect(wrong.status == .exited(1))
    #expect(wrong.text.contains("another token holds team-a/released"))
    #expect(wrong.text.contains("first") && !wrong.text.contains(token))
    #expect(try await kubelet.refusal(of: guardedPod("x", key: "released")).code == 403)

    let right = try await run("release", "team-a/released", "--value", token)
    #expect(right.status == .exited(0) && right.lines.last == "released")
    let again = try await run("release", "team-a/released", "--value", token)
    #expect(again.status == .exited(0) && again.lines.last == "was free already")

    _ = try await kubelet.admit(guardedPod("second", key: "released"))
    let forced = try await run("release", "team-a/released", "--force")
    #expect(forced.status == .exited(0) && forced.lines.last == "released")
    #expect(forced.lines.contains { $0.contains("second") })
  }

  @Test func aPodWhoseLockWasReleasedByHandStops() async throws {
    let pod = try await cluster().kubelet.create(
      guardedPod("robbed", key: "robbed", expiration: 6))
    try await pod.wait(for: .appRunning)
    #expect(try await run("release", "team-a/robbed", "--force").status == .exited(0))
    try await pod.wait(for: .sidecarExited(.exited(42)))
    try await pod.wait(for: .appStopped)
    try await pod.wait(for: .appRunning, count: 2)
    #expect(try await #require(pod.heldLock().fencingToken) > #require(pod.object.fencingToken))
  }
}
