import JSON
import LocalKubelet
import LocalServers
import Testing

/// Pods that come with a sidecar: copies, forgeries and the second call for one request.
@Suite(.serialized, .cluster { $0.redisCount = 1 }) struct CopiedPodTests {
  private func copy(_ pod: JSONValue, name: String, policy: String? = nil) -> JSONValue {
    var copy = pod
    copy.rename(name)
    if let policy {
      copy["metadata"]?["annotations"]?[annotation("policy")] = .string(policy)
    }
    return copy
  }

  @Test func aCopyOfARunningPodIsAPodLikeAnyOther() async throws {
    let kubelet = try cluster().kubelet
    let original = try await kubelet.create(guardedPod("original", key: "copied"))
    try await original.wait(for: .appRunning)
    let before = try await original.lock()

    // As with `kubectl get -o yaml | kubectl create`: with sidecar, uid, node and all.
    let refusal = try await kubelet.refusal(of: copy(original.object, name: "copy"))
    #expect(refusal.code == 403)
    #expect(refusal.message.contains("lock already taken by Pod original"))
    // Under its own name too: the API server would refuse that only later.
    _ = try await kubelet.refusal(of: original.object)

    let waiting = try await kubelet.create(copy(original.object, name: "copy", policy: "wait"))
    #expect(waiting.object.sidecars.count == 1)
    #expect(waiting.object.sidecarToken != original.object.sidecarToken)
    #expect(waiting.object.fencingToken == nil)
    try await eventually("the copy waits") {
      waiting.sidecarOutput.contains { $0.contains("waiting for the lock") } ? true : nil
    }
    let after = try await original.lock()
    #expect(after.held && after.fencingToken == before.fencingToken)
    #expect(waiting.count(.gateOpen) == 0)

    try await original.delete()
    try await waiting.wait(for: .appRunning)
    #expect(try await #require(waiting.heldLock().fencingToken) > #require(before.fencingToken))
  }

  @Test func aCopyWithinTheClaimWindowGetsNoShareInIt() async throws {
    let kubelet = try cluster().kubelet
    let (claimed, _) = try await kubelet.admit(guardedPod("slow", key: "window"))
    let refusal = try await kubelet.refusal(of: copy(claimed, name: "quick"))
    #expect(refusal.message.contains("lock already taken by Pod slow"))
    #expect(refusal.message.contains("which is starting"))
    let waiting = try await kubelet.create(copy(claimed, name: "patient", policy: "wait"))
    #expect(waiting.object.sidecarToken != claimed.sidecarToken)

    let original = try kubelet.start(admitted: claimed)
    try await original.wait(for: .appRunning)
    let lock = try await original.lock()
    #expect(lock.held && lock.fencingToken == claimed.fencingToken)
    #expect(waiting.count(.gateOpen) == 0)
  }

  @Test func theSecondCallForOneRequestAddsNothing() async throws {
    let kubelet = try cluster().kubelet
    let (once, _) = try await kubelet.admit(guardedPod("again", key: "again"))
    let (twice, _) = try await kubelet.admit(once)
    #expect(twice == once)
    let pod = try kubelet.start(admitted: twice)
    try await pod.wait(for: .appRunning)
    #expect(try await pod.lock().fencingToken == once.fencingToken)
  }

  @Test func twoPodsWithOneTokenDoNotBothRun() async throws {
    // No admission lets this happen; should it, the store binds the token to one of them.
    let kubelet = try cluster().kubelet
    let (claimed, _) = try await kubelet.admit(guardedPod("twin", key: "twins"))
    let first = try kubelet.start(admitted: claimed)
    try await first.wait(for: .appRunning)
    let second = try kubelet.start(admitted: copy(claimed, name: "twin-2"))
    try await eventually("the second waits") {
      second.sidecarOutput.contains { $0.contains("waiting for the lock") } ? true : nil
    }
    #expect(try await !second.lock().held)
    #expect(try await first.lock().held)
    #expect(second.count(.gateOpen) == 0 && first.isAppRunning)
    try await first.delete()
    try await second.wait(for: .appRunning)
    #expect(try await #require(second.heldLock().fencingToken) > #require(claimed.fencingToken))
  }

  @Test(arguments: [
    ["sidecar", "team-a/forged", "0123456789abcdef0123456789abcdef"],
    ["sidecar", "team-b/other", "00000000000000000000000000000000"], ["sleep", "1000"], [],
  ])
  func aForgedSidecarIsReplaced(_ arguments: [String]) async throws {
    let kubelet = try cluster().kubelet
    var forged = guardedPod("forged", key: "forged")
    forged["spec"]?["initContainers"] = [
      [
        "name": "exactly-one-pod-sidecar", "image": "example.test/forged:1",
        "args": .array(arguments.map { .string($0) }),
      ]
    ]
    let pod = try await kubelet.create(forged)
    #expect(pod.object.sidecars.count == 1)
    #expect(pod.object["spec"]?["initContainers"]?.array?.count == 1)
    #expect(pod.object.sidecars[0]["image"] != "example.test/forged:1")
    try await pod.wait(for: .appRunning)
    #expect(try await pod.lock().fencingToken == pod.object.fencingToken)
    try await pod.delete()
  }
}
