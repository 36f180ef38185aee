import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct PermitDryRunTests {
  private static let dry: [String: JSONValue] = ["dryRun": true]
  private static let placeholder = Token(String(repeating: "0", count: 32))

  private func text(_ pod: JSONValue) -> String { String(decoding: pod.encoded, as: UTF8.self) }

  @Test func thePatchIsThatOfTheRequestButForTheToken() async throws {
    let admitting = PermitAdmitting()
    let pod = Pods.permitPod(
      annotations: ["fencing-token": "3"], labels: ["sidecar.istio.io/inject": "true"])
    let rehearsed = try await admitting.admit(pod, Self.dry)
    #expect(rehearsed.verdict.outcome == .dryRun && rehearsed.verdict.claim == nil)
    #expect(rehearsed.token == Self.placeholder)
    let real = try await admitting.admit(pod)
    let expected = text(rehearsed.pod)
      .replacing(rehearsed.token.text, with: real.token.text)
      .replacing(rehearsed.token.publicID, with: real.token.publicID)
    #expect(try real.pod.differences(from: JSONValue(parsing: expected)) == [])
  }

  @Test func itReadsTheNumbersAndNothingElse() async throws {
    let admitting = PermitAdmitting()
    _ = try await admitting.admit(Pods.permitPod(), Self.dry)
    #expect(admitting.queue.calls == [.counts] && admitting.locks.calls == [])
    let numbers = try await admitting.queue.numbers()
    #expect(numbers.length == nil && numbers.queue == 0 && numbers.inFlight == 0)
  }

  @Test func anExhaustedSemaphoreIsDeniedAlike() async throws {
    let admitting = PermitAdmitting()
    _ = try await admitting.admit(Pods.permitPod(length: "1"))
    let dry = try await admitting.create(Pods.permitPod(length: "1"), Self.dry)
    let real = try await admitting.create(Pods.permitPod(length: "1"))
    #expect(dry.outcome == .exhausted && dry.response.refusal == real.response.refusal)
  }

  /// What the request itself would reclaim counts as free.
  @Test func aPermitOfAStaleHolderCountsAsFree() async throws {
    let admitting = PermitAdmitting()
    try await admitting.queue.occupy(length: 2)
    admitting.time.advance(by: .seconds(121))
    let admitted = try await admitting.admit(Pods.permitPod(), Self.dry)
    #expect(admitted.verdict.outcome == .dryRun)
    #expect(try await admitting.queue.numbers().inFlight == 2)
  }

  @Test func aPodThatWouldWaitIsLetIn() async throws {
    let admitting = PermitAdmitting()
    try await admitting.queue.occupy(length: 2)
    let admitted = try await admitting.admit(
      Pods.permitPod(annotations: ["policy": "wait"]), Self.dry)
    #expect(admitted.verdict.outcome == .dryRun && admitted.token == Self.placeholder)
    #expect(admitting.queue.calls == [.counts])
  }

  @Test func aReinvocationInTheSameDryRunAddsNothing() async throws {
    let admitting = PermitAdmitting()
    let admitted = try await admitting.admit(Pods.permitPod(), Self.dry)
    let second = try await admitting.create(admitted.pod, Self.dry)
    #expect(second.outcome == .reinvoked && second.response.patch == nil)
    #expect(admitting.queue.calls == [.counts, .counts])
  }

  @Test func theOutputOfADryRunGetsAPermitOfItsOwnWhenItIsCreated() async throws {
    let admitting = PermitAdmitting()
    let rehearsed = try await admitting.admit(Pods.permitPod(), Self.dry)
    let created = try await admitting.admit(rehearsed.pod)
    #expect(created.verdict.outcome == .granted && created.token != Self.placeholder)
    #expect(created.pod.names(of: "initContainers") == ["at-least-semaphore-pod-sidecar"])
    #expect(try await admitting.queue.inFlight().map(\.token) == [created.token])
  }

  @Test func aStoreThatIsAwayIsAFailureInADryRunToo() async throws {
    let admitting = PermitAdmitting()
    admitting.queue.fail(.counts)
    let verdict = try await admitting.create(Pods.permitPod(), Self.dry)
    #expect(verdict.outcome == .storeUnavailable && verdict.response.refusal?.code == 500)
  }
}
