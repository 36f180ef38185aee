import JSON
import LocalKubelet
import LocalServers
import Testing

/// This hook beside another implementation, on one store without a prefix: a rolling replacement.
@Suite(
  .serialized,
  .cluster {
    $0.guardWithPermits(["--redis-timeout", "3s"])
    $0.hooks[0].keyPrefix = ""
    $0.redisCount = 3
  }) struct PermitReplacementTests
{
  private func other(_ key: String) throws -> OtherImplementation {
    OtherImplementation(cluster: try cluster(), key: key)
  }

  private func run(_ name: String, key: String, length: Int) async throws -> RunningPod {
    let pod = try await cluster().kubelet.create(permitPod(name, key: key, length: length))
    try await pod.wait(for: .appRunning)
    return pod
  }

  private func counts(_ key: String) async throws -> RawCounts {
    try await cluster().rawCounts(key, prefix: "")
  }

  @Test func whatTheOtherHoldsCountsUntilItIsSilent() async throws {
    let (cluster, other) = (try cluster(), try other("held"))
    try await other.fill("value-1", "value-2")
    let value = try #require(try await other.take())
    let pod = try await run("mine", key: "held", length: 2)
    #expect(try await counts("held") == RawCounts(queue: 0, inFlight: 2))
    // Silent, but not for too long.
    try await other.heartbeat(value, secondsAgo: 100)
    let refusal = try await cluster.kubelet.refusal(
      of: permitPod("refused", key: "held", length: 2))
    #expect(refusal.message.contains("2 of 2 permits are in flight"))
    #expect(refusal.message.contains("one that left no name, 10"))
    try await other.heartbeat(value)
    _ = try await cluster.kubelet.refusal(of: permitPod("refused", key: "held", length: 2))
    try await other.heartbeat(value, secondsAgo: 121)
    let heir = try await cluster.kubelet.create(permitPod("heir", key: "held", length: 2))
    try await heir.wait(for: .appRunning)
    #expect(try await cluster.permits("held", prefix: "")[value] == nil)
    #expect(pod.isAppRunning && pod.count(.appStopped) == 0)
  }

  @Test func whatTheOtherGivesBackIsTakenAtOnce() async throws {
    let (cluster, other) = (try cluster(), try other("returned"))
    try await other.fill("value-1")
    let value = try #require(try await other.take())
    let refusal = try await cluster.kubelet.refusal(
      of: permitPod("refused", key: "returned", length: 1))
    #expect(refusal.message.contains("1 of 1 permit is in flight"))
    #expect(refusal.message.contains("is one that left no name"))
    let waiting = try await cluster.kubelet.create(
      permitPod("waiting", key: "returned", length: 1, policy: "wait"))
    try await waiting.log("waiting for a permit")
    // Its lock keeps our sidecar from taking what is free.
    #expect(try await other.takeLock("bare-token", seconds: 60, on: cluster.redis))
    try await other.release(value)
    try await waiting.log("permit could not be asked for")
    #expect(try await counts("returned") == RawCounts(queue: 1, inFlight: 0))
    #expect(!waiting.isAppRunning)
    #expect(try await other.hasLock("bare-token", on: cluster.redis[1]))
    try await other.releaseLock("bare-token", on: cluster.redis)
    try await waiting.wait(for: .appRunning)
    #expect(try await cluster.permits("returned", prefix: "")[value] == nil)
    #expect(try await counts("returned") == RawCounts(queue: 0, inFlight: 1))
  }

  @Test func whatWeTakeAndGiveBackIsReadableByTheOther() async throws {
    let (cluster, other) = (try cluster(), try other("readable"))
    let pod = try await run("mine", key: "readable", length: 3)
    #expect(try await counts("readable") == RawCounts(queue: 2, inFlight: 1))
    let heartbeat = try #require(try await cluster.permits("readable", prefix: "").first)
    #expect(heartbeat.key == pod.object.sidecarToken)
    let now = try #require(Double(try await cluster.ask(cluster.queue, "TIME").first ?? ""))
    #expect(abs(now - heartbeat.value) < 60)
    var values = [try await other.take(), try await other.take()].compactMap { $0 }
    #expect(Set(values).count == 2 && values.allSatisfy { $0.utf8.count == 36 })
    #expect(try await other.take() == nil)
    try await pod.delete()
    values.append(try #require(try await other.take()))
    #expect(Set(values).count == 3)
    #expect(try await counts("readable") == RawCounts(queue: 0, inFlight: 3))
    for value in values { try await other.release(value) }
    _ = try await run("next", key: "readable", length: 3)
    #expect(try await counts("readable") == RawCounts(queue: 2, inFlight: 1))
  }

  @Test func theOthersLockIsWaitedForAndNamedIfThatTakesTooLong() async throws {
    let (cluster, other) = (try cluster(), try other("locked"))
    #expect(try await other.takeLock("bare-token", seconds: 60, on: cluster.redis))
    let answer = try await withClient(
      trusting: cluster.certificates.authorityPath
    ) { client in
      let pod = permitPod("early", key: "locked", length: 1)
      return try await client.post(
        "\(cluster.hook.address)?timeout=2s", review(pod).encoded
      ).response
    }
    #expect(answer?["allowed"] == false && answer?["status"]?["code"] == 500)
    let message = answer?["status"]?["message"]?.string ?? ""
    #expect(message.contains("another implementation holds the lock around the semaphore"))
    #expect(!message.contains("bare-token"), "\(message)")
    #expect(try await counts("locked") == RawCounts(queue: 0, inFlight: 0))

    let isAdmitted = Observed(false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        _ = try await cluster.kubelet.admit(permitPod("patient", key: "locked", length: 1))
        isAdmitted.update { $0 = true }
      }
      let start = ContinuousClock.now
      while ContinuousClock.now - start < .milliseconds(500) {
        #expect(try await other.hasLock("bare-token", on: cluster.redis[0]))
        #expect(!isAdmitted.current)
      }
      try await other.releaseLock("bare-token", on: cluster.redis)
      try await group.waitForAll()
    }
    #expect(try await counts("locked") == RawCounts(queue: 0, inFlight: 1))
  }

  @Test func ourLockKeepsTheOtherOutAndIsLetGoOf() async throws {
    let (cluster, other) = (try cluster(), try other("ours"))
    let rest = Array(cluster.redis.dropFirst())
    try await withThrowingTaskGroup(of: Void.self) { group in
      // The queue's server stands still: whoever has the lock has to wait for it.
      try await cluster.queue.pause()
      group.addTask {
        _ = try await cluster.kubelet.admit(permitPod("slow", key: "ours", length: 1))
      }
      try await eventually("the webhook has the lock") { () -> Bool? in
        guard try await other.isLocked(on: rest[0]) else { return nil }
        return try await other.isLocked(on: rest[1]) ? true : nil
      }
      #expect(try await !other.takeLock("bare-token", seconds: 60, on: rest))
      cluster.queue.resume()
      try await group.waitForAll()
    }
    #expect(try await counts("ours") == RawCounts(queue: 0, inFlight: 1))
    for server in cluster.redis {
      try await eventually("\(server.name) has no lock left") {
        try await other.isLocked(on: server) ? nil : true
      }
    }
    #expect(try await other.takeLock("bare-token", seconds: 60, on: cluster.redis))
  }
}
