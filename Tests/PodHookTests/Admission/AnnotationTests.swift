import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct AnnotationTests {
  private func expectDenied(
    _ pod: JSONValue, _ message: String, _ outcome: AdmissionOutcome
  ) async throws {
    let admitting = Admitting()
    let verdict = try await admitting.create(pod)
    #expect(verdict.response.refusal == .init(code: 403, message: message))
    #expect(verdict.response.patch == nil)
    #expect(verdict.outcome == outcome && verdict.claim == nil)
    #expect(admitting.store.calls == [])
  }

  @Test func aRecordedPodWithoutKey() async throws {
    let verdict = try await Admitting().review(
      Reviews.recorded("bare-pod-missing-key-bad-expiration"))
    #expect(verdict.response.refusal == .init(code: 403, message: "valid key is not set"))
    #expect(verdict.pod == "missing-key")
  }

  @Test(arguments: [nil, "", .null, 5, true, ["a"]] as [JSONValue?])
  func keyIsMissing(value: JSONValue?) async throws {
    try await expectDenied(
      Pods.pod(annotations: ["key": value]), "valid key is not set", .invalidKey)
  }

  @Test(arguments: [
    "", "0", "-1", "+5", " 5", "5 ", "1e3", "1.0", "0x10", "5s", "ten", "31536001",
    "99999999999999999999999999", "٥", "５", "1_000", "1,000", "\u{2028}5", "5\n", "--5",
  ])
  func expirationIsNoNumberInRange(text: String) async throws {
    try await expectDenied(
      Pods.pod(expiration: text), "valid expiration is not set", .invalidExpiration)
  }

  @Test(arguments: [nil, .null, 60, true, ["60"]] as [JSONValue?])
  func expirationIsNoText(value: JSONValue?) async throws {
    try await expectDenied(
      Pods.pod(annotations: ["expiration": value]), "valid expiration is not set",
      .invalidExpiration)
  }

  @Test(arguments: ["", "Deny", "WAIT", " wait", "queue", "wait,deny"])
  func policyIsUnknown(text: String) async throws {
    try await expectDenied(
      Pods.pod(annotations: ["policy": .string(text)]),
      "policy must be \"deny\" or \"wait\"", .invalidPolicy)
  }

  @Test func policyIsNoText() async throws {
    try await expectDenied(
      Pods.pod(annotations: ["policy": .null]), "policy must be \"deny\" or \"wait\"",
      .invalidPolicy)
  }

  @Test func windows() async throws {
    try await expectDenied(
      Pods.pod(spec: ["os": ["name": "windows"]]), "windows pods are not supported", .windows)
  }

  @Test(arguments: ["linux", "Windows"])
  func otherSystemsAreLetIn(name: String) async throws {
    let admitted = try await Admitting().admit(Pods.pod(spec: ["os": ["name": .string(name)]]))
    #expect(admitted.verdict.outcome == .granted)
  }

  @Test(arguments: [("1", 1), ("10", 10), ("007", 7), ("31536000", 31_536_000)])
  func expirationInRange(text: String, seconds: Int) async throws {
    let admitted = try await Admitting().admit(Pods.pod(expiration: text))
    #expect(admitted.sidecar.argument("--expiration-seconds") == "\(seconds)")
  }

  @Test(arguments: [("9", true), ("1", true), ("10", false)])
  func aShortExpirationIsWarnedOf(text: String, isWarned: Bool) async throws {
    let admitted = try await Admitting().admit(Pods.pod(expiration: text))
    let warnings = admitted.verdict.response.warnings
    #expect(warnings.contains { $0.hasPrefix("expiration \(text) is below 10") } == isWarned)
    #expect(warnings.allSatisfy { $0.utf8.count < 256 })
  }

  /// The namespace of the request counts: that of the object may be missing or wrong.
  @Test func theLockIsInTheRequestsNamespace() async throws {
    let admitting = Admitting()
    let pod = Pods.pod()
    let verdict = try await admitting.create(pod, ["namespace": "tenant"])
    #expect(verdict.key == NamespacedKey(namespace: "tenant", key: "k"))
    let admitted = try Admitted(verdict, pod, admitting.identity)
    #expect(admitted.sidecar["args"]?[1] == "tenant/k")
    #expect(try await admitting.store.owner(NamespacedKey(namespace: "tenant", key: "k")) != nil)
    #expect(try await admitting.store.owner(Admitting.key) == nil)
  }

  @Test(arguments: [
    " padded ", "a/b~c", "ключ/鍵", "quote\"back\\slash", "-dash", "sidecar", "line\nbreak",
  ])
  func keysAreTakenAsWritten(key: String) async throws {
    let admitting = Admitting()
    let admitted = try await admitting.admit(Pods.pod(key: key))
    #expect(admitted.sidecar["args"]?[1] == .string("demo/" + key))
    let owner = try await admitting.store.owner(NamespacedKey(namespace: "demo", key: key))
    #expect(owner?.record.token == admitted.token)
  }
}
