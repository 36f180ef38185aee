import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

/// The API server may call twice for one request, with a new uid each time; people copy manifests.
@Suite struct ReinvocationTests {
  private func bind(_ admitted: Admitted, in admitting: Admitting) async throws {
    let holder = Holder(pod: "app-0", podUID: "uid-0", node: "node-1", since: 1)
    let result = try await admitting.store.memory.extend(
      Admitting.key, .init(token: admitted.token), as: holder, ttl: .seconds(60), deadline: .zero)
    guard case .extended = result else { throw Admitting.Occupied() }
  }

  @Test(arguments: ["app-0", nil])
  func theSecondCallForARequestAddsAndMovesNothing(name: String?) async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod(name: name))
    // Another webhook came in between and put its own container in front.
    var pod = first.pod
    pod["spec"]?["initContainers"] = [Pods.container("istio-init"), first.sidecar]
    let second = try await admitting.create(pod, ["uid": "another"])
    #expect(second.outcome == .reinvoked)
    #expect(second.response.refusal == nil && second.response.patch == nil)
    #expect(second.claim == nil && second.key == Admitting.key)
    #expect(try await admitting.store.owner(Admitting.key)?.record.token == first.token)
    #expect(admitting.store.calls == [.acquire, .inspect])
  }

  @Test func aCopyOfARunningPodIsDenied() async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod())
    try await bind(first, in: admitting)
    var copy = first.pod
    copy["metadata"]?["name"] = "copy"
    let verdict = try await admitting.create(copy)
    #expect(verdict.outcome == .taken)
    #expect(verdict.response.refusal?.message.contains("Pod app-0 on node node-1") == true)
  }

  @Test func aCopyUnderTheSameNameIsDeniedToo() async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod())
    try await bind(first, in: admitting)
    #expect(try await admitting.create(first.pod).outcome == .taken)
  }

  /// The token is unbound still, but was given to a Pod with another name.
  @Test(arguments: ["app-0", nil])
  func aCopyMadeBeforeTheSidecarStartedIsDenied(name: String?) async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod(name: name))
    var copy = first.pod
    copy["metadata"]?["name"] = name == nil ? "app-x7k2p" : "copy"
    #expect(try await admitting.create(copy).outcome == .taken)
  }

  /// `app-` as a name is not the start `app-` of a generated one.
  @Test func aNameIsNotTheStartOfAName() async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod(name: nil))
    var copy = first.pod
    copy["metadata"]?["name"] = "app-"
    #expect(try await admitting.create(copy).outcome == .taken)
  }

  @Test func aCopyForAnotherKeyGetsALockOfThatKey() async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod())
    var copy = first.pod
    copy["metadata"]?["annotations"]?[Pods.domain + "/key"] = "other"
    let second = try await admitting.admit(copy)
    #expect(second.verdict.outcome == .granted && second.token != first.token)
    #expect(second.sidecar["args"]?[1] == "demo/other")
    #expect(try await admitting.store.owner(Admitting.key)?.record.token == first.token)
  }

  @Test func aCopyIntoAnotherNamespaceGetsALockThere() async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod())
    let second = try await admitting.admit(first.pod, ["namespace": "other"])
    #expect(second.verdict.outcome == .granted && second.token != first.token)
  }

  /// Everything of the copy's sidecar is replaced, where it stands.
  @Test func theStaleSidecarOfACopyIsReplacedWhenTheLockIsFree() async throws {
    let admitting = Admitting()
    var spec: [String: JSONValue] = [:]
    spec["initContainers"] = [Pods.container("migrate")]
    let first = try await admitting.admit(Pods.pod(spec: spec))
    admitting.time.advance(by: .seconds(120))
    let second = try await admitting.admit(first.pod)
    #expect(second.verdict.outcome == .granted && second.token != first.token)
    let text = String(decoding: second.pod.encoded, as: UTF8.self)
    #expect(!text.contains(first.token.text) && !text.contains(first.token.publicID))
    #expect(
      second.pod.names(of: "initContainers") == ["exactly-one-pod-sidecar", "migrate"])
    #expect(second.pod.label(Pods.domain + "/lock-id") == second.token.publicID)
    #expect(second.pod.annotation(Pods.domain + "/fencing-token") == "2")
  }

  @Test(arguments: [
    [], ["sidecar"], ["sidecar", "demo/k"], ["webhook", "demo/k", "token"],
    ["sidecar", "demo/other", "token"], ["sidecar", "demo/k", ""], ["sidecar", "demo/k", "token"],
  ])
  func aForgedSidecarIsReplaced(arguments: [String]) async throws {
    let admitting = Admitting()
    let forged = Pods.container(
      "exactly-one-pod-sidecar",
      ["args": .array(arguments.map { .string($0) }), "command": ["/bin/true"]])
    var pod = Pods.pod()
    pod["spec"]?["initContainers"] = [forged]
    let admitted = try await admitting.admit(pod)
    #expect(admitted.verdict.outcome == .granted)
    #expect(admitted.sidecar["image"] == "hook:1" && admitted.sidecar["command"] == nil)
    #expect(admitted.pod.names(of: "initContainers") == ["exactly-one-pod-sidecar"])
    admitting.store.giveBack(Admitting.key, token: admitted.token, podUID: nil)
    try await admitting.occupy()
    #expect(try await admitting.create(pod).outcome == .taken)
  }

  @Test func forgeriesInBothListsLeaveOneSidecarInFront() async throws {
    let forged = Pods.container("exactly-one-pod-sidecar")
    var pod = Pods.pod()
    pod["spec"]?["initContainers"] = [Pods.container("a"), forged, Pods.container("b"), forged]
    pod["spec"]?["containers"] = [forged, Pods.container("app"), forged]
    let admitted = try await Admitting().admit(pod)
    #expect(
      admitted.pod.names(of: "initContainers") == ["exactly-one-pod-sidecar", "a", "b"])
    #expect(admitted.pod.names(of: "containers") == ["app"])
  }

  @Test func aForgeryInTheWrongListIsMoved() async throws {
    var pod = Pods.pod()
    pod["spec"]?["containers"] = [
      Pods.container("exactly-one-pod-sidecar"), Pods.container("app"),
    ]
    let admitted = try await Admitting().admit(pod)
    #expect(admitted.pod.names(of: "initContainers") == ["exactly-one-pod-sidecar"])
    #expect(admitted.pod.names(of: "containers") == ["app"])
  }

  /// A waiting Pod's token is in no store, so its second call cannot be told from a copy: it gets
  /// another token, or by now the lock, in the same place.
  @Test func aWaitingPodIsTreatedLikeAnyOtherTheSecondTime() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    let first = try await admitting.admit(Pods.pod(annotations: ["policy": "wait"]))
    var pod = first.pod
    pod["spec"]?["initContainers"] = [Pods.container("istio-init"), first.sidecar]
    let second = try await admitting.admit(pod)
    #expect(second.verdict.outcome == .waiting)
    #expect(
      second.pod.names(of: "initContainers") == ["istio-init", "exactly-one-pod-sidecar"])
    admitting.time.advance(by: .seconds(45))
    let third = try await admitting.admit(second.pod)
    #expect(third.verdict.outcome == .granted)
    #expect(third.pod.annotation(Pods.domain + "/fencing-token") == "2")
  }

  @Test(arguments: ["$(POD_NAME)", "a$$b", "$", "\u{0600}$(POD_NAME)", "$\u{0301}$(X)"])
  func keysWithDollarsAreRecognised(key: String) async throws {
    let admitting = Admitting()
    let first = try await admitting.admit(Pods.pod(key: key))
    #expect(try await admitting.create(first.pod).outcome == .reinvoked)
  }
}
