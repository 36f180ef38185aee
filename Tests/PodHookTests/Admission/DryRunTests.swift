import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct DryRunTests {
  private static let dry: [String: JSONValue] = ["dryRun": true]
  private static let placeholder = String(repeating: "0", count: 32)

  private func replacing(_ text: String, by other: String, in pod: JSONValue) throws -> JSONValue {
    try JSONValue(
      parsing: String(decoding: pod.encoded, as: UTF8.self).split(
        separator: text, omittingEmptySubsequences: false
      ).joined(separator: other))
  }

  /// The recorded dry run and the recorded request for the same Pod differ in that flag only.
  @Test func thePatchIsThatOfTheRequestButForTheToken() async throws {
    let dryReview = try Reviews.recorded("dry-run-pod")
    let review = try Reviews.recorded("generate-name-pod")
    let admitting = Admitting()
    let rehearsed = try await admitting.review(dryReview)
    #expect(rehearsed.outcome == .dryRun && rehearsed.claim == nil)
    #expect(admitting.store.calls == [.inspect])
    let real = try await admitting.review(review)
    let before = try #require(review["request"]?["object"])
    let dryPod = try Admitted(
      rehearsed, try #require(dryReview["request"]?["object"]), admitting.identity)
    let realPod = try Admitted(real, before, admitting.identity)
    #expect(dryPod.token.text == Self.placeholder)
    var expected = try replacing(dryPod.token.text, by: realPod.token.text, in: dryPod.pod)
    expected = try replacing(dryPod.token.publicID, by: realPod.token.publicID, in: expected)
    // The two were sent at different seconds.
    expected["metadata"]?["managedFields"] = realPod.pod["metadata"]?["managedFields"]
    #expect(realPod.pod.differences(from: expected) == [])
    #expect(rehearsed.response.warnings == real.response.warnings)
  }

  @Test func aTakenLockIsDeniedAlike() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    let dry = try await admitting.create(Pods.pod(), Self.dry)
    let real = try await admitting.create(Pods.pod())
    #expect(dry.outcome == .taken)
    #expect(dry.response.refusal == real.response.refusal)
  }

  @Test func aPodThatWouldWaitIsLetIn() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    let admitted = try await admitting.admit(
      Pods.pod(annotations: ["policy": "wait", "fencing-token": "3"]), Self.dry)
    #expect(admitted.token.text == Self.placeholder)
    #expect(admitted.pod.annotation(Pods.domain + "/fencing-token") == nil)
    #expect(admitting.store.calls == [.inspect])
  }

  @Test func theFencingTokenIsTheNextOne() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    admitting.time.advance(by: .seconds(45))
    let admitted = try await admitting.admit(Pods.pod(), Self.dry)
    #expect(admitted.pod.annotation(Pods.domain + "/fencing-token") == "2")
  }

  @Test func badAnnotationsAreDeniedAlike() async throws {
    let verdict = try await Admitting().create(Pods.pod(expiration: "0"), Self.dry)
    #expect(verdict.response.refusal?.message == "valid expiration is not set")
  }

  @Test func aReinvocationInTheSameDryRunAddsNothing() async throws {
    let admitting = Admitting()
    let admitted = try await admitting.admit(Pods.pod(), Self.dry)
    let second = try await admitting.create(admitted.pod, Self.dry)
    #expect(second.outcome == .reinvoked && second.response.patch == nil)
    #expect(!admitting.store.calls.contains(.acquire))
  }

  /// What a dry run printed may be kept and sent again.
  @Test func theOutputOfADryRunGetsALockOfItsOwnWhenItIsCreated() async throws {
    let admitting = Admitting()
    let rehearsed = try await admitting.admit(Pods.pod(), Self.dry)
    let created = try await admitting.admit(rehearsed.pod)
    #expect(created.verdict.outcome == .granted)
    #expect(created.token.text != Self.placeholder)
    #expect(created.pod.names(of: "initContainers") == ["exactly-one-pod-sidecar"])
    #expect(try await admitting.store.owner(Admitting.key)?.record.token == created.token)
  }

  @Test func theOutputOfADryRunIsDeniedInAnotherOneWhileTheLockIsTaken() async throws {
    let admitting = Admitting()
    let rehearsed = try await admitting.admit(Pods.pod(), Self.dry)
    try await admitting.occupy()
    #expect(try await admitting.create(rehearsed.pod, Self.dry).outcome == .taken)
  }
}
