import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct PermitReinvocationTests {
  private func bind(_ admitted: Admitted, in admitting: PermitAdmitting) async throws {
    let holder = Holder(pod: "app-0", podUID: "uid-0", node: "node-1", since: 1)
    let answer = try await admitting.queue.memory.heartbeat(
      Admitting.key, token: admitted.token, as: holder, deadline: .zero)
    try #require(answer == .alive)
  }

  @Test(arguments: ["app-0", nil])
  func theSecondCallForARequestAddsAndMovesNothing(name: String?) async throws {
    let admitting = PermitAdmitting()
    let first = try await admitting.admit(Pods.permitPod(name: name))
    var pod = first.pod
    pod["spec"]?["initContainers"] = [Pods.container("istio-init"), first.sidecar]
    let second = try await admitting.create(pod, ["uid": "another"])
    #expect(second.outcome == .reinvoked && second.claim == nil)
    #expect(second.response.refusal == nil && second.response.patch == nil)
    #expect(try await admitting.queue.inFlight().map(\.token) == [first.token])
    #expect(admitting.queue.calls == [.settle, .pop, .permit])
  }

  /// The same also when no permit is left: its own is not another's.
  @Test func theLastPermitIsRecognised() async throws {
    let admitting = PermitAdmitting()
    let first = try await admitting.admit(Pods.permitPod(length: "1"))
    #expect(try await admitting.create(first.pod).outcome == .reinvoked)
  }

  @Test(arguments: ["app-0", "copy"])
  func aCopyOfARunningPodGetsAPermitOfItsOwn(name: String) async throws {
    let admitting = PermitAdmitting()
    let first = try await admitting.admit(Pods.permitPod())
    try await bind(first, in: admitting)
    var copy = first.pod
    copy["metadata"]?["name"] = .string(name)
    let second = try await admitting.admit(copy)
    #expect(second.verdict.outcome == .granted && second.token != first.token)
    let text = String(decoding: second.pod.encoded, as: UTF8.self)
    #expect(!text.contains(first.token.text) && !text.contains(first.token.publicID))
    #expect(second.pod.names(of: "initContainers") == ["at-least-semaphore-pod-sidecar"])
    let permits = try await admitting.queue.inFlight()
    #expect(permits.count == 2)
    #expect(permits.first { $0.token == first.token }?.holder?.podUID == "uid-0")
    #expect(try await admitting.create(copy).outcome == .exhausted)
  }

  /// The claim is unbound still, but was taken for a Pod with another name.
  @Test(arguments: ["app-0", nil])
  func aCopyMadeBeforeTheSidecarStartedIsNotTheSamePod(name: String?) async throws {
    let admitting = PermitAdmitting()
    let first = try await admitting.admit(Pods.permitPod(name: name, length: "1"))
    var copy = first.pod
    copy["metadata"]?["name"] = name == nil ? "app-x7k2p" : "copy"
    #expect(try await admitting.create(copy).outcome == .exhausted)
  }

  @Test func aCopyForAnotherKeyGetsAPermitOfThatKey() async throws {
    let admitting = PermitAdmitting()
    let first = try await admitting.admit(Pods.permitPod())
    var copy = first.pod
    copy["metadata"]?["annotations"]?["\(Pods.permitDomain)/key"] = "other"
    let second = try await admitting.admit(copy)
    #expect(second.verdict.outcome == .granted && second.sidecar["args"]?[1] == "demo/other")
  }

  /// Reclaimed meanwhile: the token is worth nothing any more.
  @Test func aClaimThatLapsedIsReplaced() async throws {
    let admitting = PermitAdmitting()
    let first = try await admitting.admit(Pods.permitPod(length: "1"))
    admitting.time.advance(by: .seconds(121))
    try await admitting.queue.settleNow(length: 1)
    let second = try await admitting.admit(first.pod)
    #expect(second.verdict.outcome == .granted && second.token != first.token)
    #expect(try await admitting.queue.inFlight().map(\.token) == [second.token])
  }

  @Test(arguments: [
    [], ["sidecar", "demo/k"], ["webhook", "demo/k", "token"], ["sidecar", "demo/other", "token"],
    ["sidecar", "demo/k", ""], ["sidecar", "demo/k", "token"],
  ])
  func aForgedSidecarIsReplaced(arguments: [String]) async throws {
    let admitting = PermitAdmitting()
    var pod = Pods.permitPod(length: "1")
    pod["spec"]?["initContainers"] = [
      Pods.container(
        "at-least-semaphore-pod-sidecar",
        ["args": .array(arguments.map { .string($0) }), "command": ["/bin/true"]])
    ]
    let admitted = try await admitting.admit(pod)
    #expect(admitted.verdict.outcome == .granted)
    #expect(admitted.sidecar["image"] == "hook:1" && admitted.sidecar["command"] == nil)
    #expect(try await admitting.create(pod).outcome == .exhausted)
  }

  /// A waiting Pod's token is in no store: its second call is one of many.
  @Test func aWaitingPodIsTreatedLikeAnyOtherTheSecondTime() async throws {
    let admitting = PermitAdmitting()
    let others = try await admitting.queue.occupy(length: 2)
    let first = try await admitting.admit(Pods.permitPod(annotations: ["policy": "wait"]))
    let second = try await admitting.admit(first.pod)
    #expect(second.verdict.outcome == .waiting)
    admitting.queue.vacate(others[0], of: 1)
    let third = try await admitting.admit(second.pod)
    #expect(third.verdict.outcome == .granted)
    #expect(third.pod.names(of: "initContainers") == ["at-least-semaphore-pod-sidecar"])
  }
}
