import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct PermitAnnotationTests {
  private func expectDenied(
    _ pod: JSONValue, _ message: String, _ outcome: AdmissionOutcome,
    _ fields: [String: JSONValue] = [:]
  ) async throws {
    let admitting = PermitAdmitting()
    let verdict = try await admitting.create(pod, fields)
    #expect(verdict.response.refusal == .init(code: 403, message: message))
    #expect(verdict.response.patch == nil)
    #expect(verdict.outcome == outcome && verdict.claim == nil)
    #expect(admitting.queue.calls == [] && admitting.locks.calls == [])
  }

  @Test(arguments: [nil, "", .null, 5, ["a"]] as [JSONValue?])
  func keyIsMissing(value: JSONValue?) async throws {
    try await expectDenied(
      Pods.permitPod(annotations: ["key": value]), "valid key is not set", .invalidKey)
  }

  @Test(arguments: [
    "", "0", "100001", "2.0", " 2", "2 ", "+2", "-1", "1e1", "0x2", "two", "2,000", "２", "٢", "2\n",
    "99999999999999999999999999",
  ])
  func lengthIsNoNumberInRange(text: String) async throws {
    try await expectDenied(
      Pods.permitPod(length: text), "valid length is not set", .invalidLength)
  }

  @Test(arguments: [nil, .null, 2, true, ["2"]] as [JSONValue?])
  func lengthIsNoText(value: JSONValue?) async throws {
    try await expectDenied(
      Pods.permitPod(annotations: ["length": value]), "valid length is not set", .invalidLength)
  }

  @Test(arguments: ["", "0", "3601", " 10", "10s", "1.0", "-1"])
  func expirationIsNoNumberInRange(text: String) async throws {
    try await expectDenied(
      Pods.permitPod(expiration: text), "valid expiration is not set", .invalidExpiration)
  }

  @Test func expirationIsMissing() async throws {
    try await expectDenied(
      Pods.permitPod(annotations: ["expiration": nil]), "valid expiration is not set",
      .invalidExpiration)
  }

  @Test(arguments: ["", "Wait", "queue"])
  func policyIsUnknown(text: String) async throws {
    try await expectDenied(
      Pods.permitPod(annotations: ["policy": .string(text)]),
      "policy must be \"deny\" or \"wait\"", .invalidPolicy)
  }

  /// With everything wrong, one fault after the other is told in a fixed order.
  @Test func faultsAreToldInOneOrder() async throws {
    let right = ["key": "k", "length": "2", "expiration": "10", "policy": "deny"]
    let order: [(String, String, AdmissionOutcome)] = [
      ("key", "valid key is not set", .invalidKey),
      ("length", "valid length is not set", .invalidLength),
      ("expiration", "valid expiration is not set", .invalidExpiration),
      ("policy", "policy must be \"deny\" or \"wait\"", .invalidPolicy),
    ]
    var notes: [String: JSONValue?] = ["key": "", "length": "", "expiration": "", "policy": ""]
    let spec: [String: JSONValue] = ["os": ["name": "windows"]]
    for (name, message, outcome) in order {
      try await expectDenied(Pods.permitPod(annotations: notes, spec: spec), message, outcome)
      notes[name] = right[name].map { .string($0) }
    }
    let windows = Pods.permitPod(annotations: notes, spec: spec)
    try await expectDenied(windows, "windows pods are not supported", .windows)
    try await expectDenied(
      Pods.permitPod(), "the request names no namespace", .ambiguous, ["namespace": ""])
  }

  @Test(arguments: [("1", "1", 1, 1), ("100000", "3600", 100_000, 3600), ("007", "010", 7, 10)])
  func numbersInRangeAreHandedOn(
    length: String, expiration: String, permits: Int, seconds: Int
  ) async throws {
    let admitting = PermitAdmitting()
    let admitted = try await admitting.admit(
      Pods.permitPod(length: length, expiration: expiration))
    #expect(admitted.sidecar.argument("--length") == "\(permits)")
    #expect(admitted.sidecar.argument("--lock-seconds") == "\(seconds)")
    #expect(admitted.verdict.response.warnings == [])
    #expect(try await admitting.queue.numbers().length == permits)
  }

  @Test(arguments: ["false", "True", "yes", ""])
  func onlyTrueAsksForTheHook(value: String) async throws {
    let admitting = PermitAdmitting()
    let verdict = try await admitting.create(
      Pods.permitPod(annotations: ["at-least-semaphore-pod": .string(value)]))
    #expect(verdict.outcome == .notGuarded && verdict.response.patch == nil)
    #expect(admitting.queue.calls == [])
  }

  @Test func aPodOfTheOtherHookIsNotOurs() async throws {
    let admitting = PermitAdmitting()
    #expect(try await admitting.create(Pods.pod()).outcome == .notGuarded)
    let other = Admitting()
    #expect(try await other.create(Pods.permitPod()).outcome == .notGuarded)
    #expect(admitting.queue.calls == [] && other.store.calls == [])
  }

  @Test(arguments: ["a/b~c", "ключ/鍵", " padded ", "$(POD_NAME)"])
  func theSemaphoreIsInTheRequestsNamespace(name: String) async throws {
    let admitting = PermitAdmitting()
    let verdict = try await admitting.create(
      Pods.permitPod(key: name), ["namespace": "tenant"])
    let key = NamespacedKey(namespace: "tenant", key: name)
    #expect(verdict.key == key && verdict.outcome == .granted)
    #expect(try await admitting.queue.inFlight(key).map(\.token) == [verdict.claim])
    #expect(try await admitting.queue.inFlight() == [])
  }
}
