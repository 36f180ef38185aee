import AdmissionReview
import JSON
import PodHook
import Testing

/// What is none of the hook's business is let through, and the store is not asked.
@Suite struct UnguardedPodTests {
  private func expectUntouched(_ review: JSONValue) async throws {
    let admitting = Admitting()
    admitting.store.fail(.acquire, .inspect)
    let verdict = try await admitting.review(review)
    #expect(verdict.response.refusal == nil)
    #expect(verdict.response.patch == nil)
    #expect(verdict.response.warnings == [])
    #expect(verdict.outcome == .notGuarded)
    #expect(verdict.key == nil && verdict.claim == nil)
    #expect(admitting.store.calls == [])
  }

  @Test(arguments: [
    "configmap-create", "plain-pod-no-annotations", "pod-update", "pod-delete",
    // Another hook's.
    "statefulset-pod-semaphore", "cronjob-pod-semaphore-unicode-args",
  ])
  func recorded(name: String) async throws {
    try await expectUntouched(try Reviews.recorded(name))
  }

  @Test(arguments: ["UPDATE", "DELETE", "CONNECT", "create"])
  func onlyCreationCounts(operation: String) async throws {
    try await expectUntouched(
      Reviews.creation(of: Pods.pod(), ["operation": .string(operation)]))
  }

  @Test func aKindCalledPodInAnotherGroupIsNoPod() async throws {
    try await expectUntouched(
      Reviews.creation(
        of: Pods.pod(), ["kind": ["group": "example.test", "version": "v1", "kind": "Pod"]]))
  }

  @Test func aBindingIsNoPod() async throws {
    try await expectUntouched(
      Reviews.creation(
        of: Pods.pod(), ["kind": ["group": "", "version": "v1", "kind": "Binding"]]))
  }

  @Test(arguments: ["false", "True", "TRUE", "yes", "1", "", " true", "true ", "\"true\""])
  func onlyTrueAsksForTheHook(value: String) async throws {
    try await expectUntouched(
      Reviews.creation(of: Pods.pod(annotations: ["exactly-one-pod": .string(value)])))
  }

  @Test func aBooleanIsNotTheTextTrue() async throws {
    try await expectUntouched(
      Reviews.creation(of: Pods.pod(annotations: ["exactly-one-pod": true])))
  }

  /// The kubelet runs a static Pod whatever is said about its image at the API server.
  @Test func aMirrorPod() async throws {
    try await expectUntouched(
      Reviews.creation(of: Pods.pod(annotations: ["kubernetes.io/config.mirror": "hash"])))
  }

  @Test(arguments: [nil, "blue"])
  func anotherVariantsPod(mine: String?) async throws {
    let admitting = Admitting(variant: mine)
    let verdict = try await admitting.create(Pods.pod(variant: mine == nil ? "blue" : nil))
    #expect(verdict.outcome == .notGuarded && admitting.store.calls == [])
  }

  @Test func aPodWithoutMetadata() async throws {
    try await expectUntouched(Reviews.creation(of: ["kind": "Pod", "spec": [:]]))
  }

  @Test func anObjectThatIsMissing() async throws {
    try await expectUntouched(Reviews.creation(of: .null))
  }
}
