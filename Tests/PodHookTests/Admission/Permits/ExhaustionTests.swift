import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct ExhaustionTests {
  @Test func theUserReadsTheNumbersAndWhoIsSilent() async throws {
    let admitting = PermitAdmitting()
    try await admitting.queue.occupy(length: 2)
    admitting.time.advance(by: .seconds(42))
    let verdict = try await admitting.create(Pods.permitPod())
    #expect(verdict.outcome == .exhausted && !verdict.outcome.isAllowed)
    #expect(verdict.response.patch == nil && verdict.claim == nil)
    let refusal = try #require(verdict.response.refusal)
    #expect(refusal.code == 403)
    // Both were last heard of at the same moment.
    let texts = (1...2).map {
      "no semaphore available: 2 of 2 permits are in flight; the holder longest without a sign of "
        + "life is Pod other-\($0) on node node-7, 42 s ago"
    }
    #expect(texts.contains(refusal.message))
    try await admitting.expectNoLock()
  }

  @Test func aHolderThatHasOnlyBeenAdmittedIsStarting() async throws {
    let admitting = PermitAdmitting()
    _ = try await admitting.admit(Pods.permitPod(name: nil, length: "1"))
    let verdict = try await admitting.create(Pods.permitPod(length: "1"))
    #expect(
      verdict.response.refusal?.message
        == "no semaphore available: 1 of 1 permit is in flight; the holder longest without a sign "
        + "of life is Pod app-…, which is starting, 0 s ago")
  }

  @Test func noTokenIsToldToTheUser() async throws {
    let admitting = PermitAdmitting()
    let tokens = try await admitting.queue.occupy(length: 2)
    let message = try await admitting.create(Pods.permitPod()).response.refusal?.message ?? ""
    for token in tokens { #expect(!message.contains(token.text)) }
  }

  @Test func otherKeysAndNamespacesHaveTheirOwnPermits() async throws {
    let admitting = PermitAdmitting()
    try await admitting.queue.occupy(length: 2)
    _ = try await admitting.admit(Pods.permitPod(key: "K"))
    _ = try await admitting.admit(Pods.permitPod(), ["namespace": "demo2"])
  }

  @Test func ofManyPodsAtOnceAsManyAreLetInAsThereArePermits() async throws {
    let admitting = PermitAdmitting()
    let outcomes = try await withThrowingTaskGroup(of: AdmissionOutcome.self) { group in
      for number in 0..<50 {
        group.addTask {
          try await admitting.create(Pods.permitPod(name: "app-\(number)", length: "20")).outcome
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.count { $0 == .granted } == 20)
    #expect(outcomes.count { $0 == .exhausted } == 30)
    let numbers = try await admitting.queue.numbers()
    #expect(numbers.inFlight == 20 && numbers.queue == 0)
  }

  @Test func aRaisedLengthAdmitsAtOnceAndALoweredOneEvictsNobody() async throws {
    let admitting = PermitAdmitting()
    let others = try await admitting.queue.occupy(length: 2)
    _ = try await admitting.admit(Pods.permitPod(length: "3"))
    let lowered = try await admitting.create(Pods.permitPod(length: "1"))
    #expect(lowered.response.refusal?.message.contains("3 of 1 permit is in flight") == true)
    #expect(try await admitting.queue.inFlight().count == 3)
    for (place, token) in others.enumerated() { admitting.queue.vacate(token, of: place + 1) }
    #expect(try await admitting.create(Pods.permitPod(length: "1")).outcome == .exhausted)
    _ = try await admitting.admit(Pods.permitPod(length: "2"))
  }

  // MARK: - Waiting

  /// It is let in with a token that holds nothing, and its sidecar waits with that.
  @Test func waitLetsThePodInWithoutAPermit() async throws {
    let admitting = PermitAdmitting()
    let others = try await admitting.queue.occupy(length: 2)
    let pod = Pods.permitPod(annotations: ["policy": "wait", "fencing-token": "77"])
    let admitted = try await admitting.admit(pod)
    #expect(admitted.verdict.outcome == .waiting && admitted.verdict.claim == nil)
    #expect(!others.contains(admitted.token))
    #expect(admitted.pod.annotation("\(Pods.permitDomain)/fencing-token") == nil)
    #expect(admitted.pod.label("\(Pods.permitDomain)/lock-id") == admitted.token.publicID)
    #expect(
      try await admitting.queue.memory.permit(
        Admitting.key, token: admitted.token, deadline: .zero) == nil)
    #expect(try await admitting.queue.inFlight().count == 2)
    #expect(try await admitting.admit(pod).token != admitted.token)
  }

  @Test func waitTakesAFreePermitLikeAnybody() async throws {
    let admitting = PermitAdmitting()
    let admitted = try await admitting.admit(Pods.permitPod(annotations: ["policy": "wait"]))
    #expect(admitted.verdict.outcome == .granted)
    #expect(try await admitting.queue.inFlight().map(\.token) == [admitted.token])
  }
}
