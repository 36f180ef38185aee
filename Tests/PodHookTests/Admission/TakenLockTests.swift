import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct TakenLockTests {
  @Test func theUserReadsWhoHoldsItSinceWhenAndForHowLong() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    let verdict = try await admitting.create(Pods.pod())
    #expect(verdict.outcome == .taken && verdict.response.patch == nil && verdict.claim == nil)
    #expect(verdict.response.refusal?.code == 403)
    #expect(
      verdict.response.refusal?.message
        == "lock already taken by Pod other-1 on node node-7 since 2026-11-21T08:58:30.000Z "
        + "(90 s ago); without a sign of life it frees itself in 45 s")
    #expect(try await admitting.store.owner(Admitting.key)?.record.holder?.pod == "other-1")
  }

  @Test func aHolderThatHasOnlyBeenAdmittedIsStarting() async throws {
    let admitting = Admitting()
    _ = try await admitting.admit(Pods.pod(name: nil))
    let message = try await admitting.create(Pods.pod(name: nil)).response.refusal?.message
    #expect(message?.hasPrefix("lock already taken by Pod app-… since ") == true)
    #expect(message?.contains(", which is starting; ") == true)
    #expect(message?.hasSuffix("frees itself in 120 s") == true)
  }

  @Test(
    arguments: [
      ("web-7d4b9c", "ReplicaSet/web-7d4b9c", true), ("web-7d4b9c", "ReplicaSet/web-55fcd8", true),
      ("web-7d4b9c", "ReplicaSet/api-55fcd8", false), ("web-7d4b9c", "StatefulSet/web", false),
      ("web-7d4b9c", nil, false), (nil, "ReplicaSet/web-7d4b9c", false),
    ] as [(String?, String?, Bool)])
  func aRollingUpdateIsToldAboutRecreate(
    newcomer: String?, holder: String?, isHinted: Bool
  ) async throws {
    let admitting = Admitting()
    try await admitting.occupy(owner: holder)
    let message = try await admitting.create(Pods.pod(owner: newcomer)).response.refusal?.message
    #expect(message?.contains("strategy: Recreate") == isHinted)
    #expect(message?.contains("belong to web:") == isHinted)
  }

  @Test func theTokenIsNotToldToTheUser() async throws {
    let admitting = Admitting()
    let token = try await admitting.occupy()
    let message = try await admitting.create(Pods.pod()).response.refusal?.message ?? ""
    #expect(!message.contains(token.text))
  }

  @Test func otherKeysAndNamespacesAreFree() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    _ = try await admitting.admit(Pods.pod(key: "k2"))
    _ = try await admitting.admit(Pods.pod(key: "K"))
    _ = try await admitting.admit(Pods.pod(), ["namespace": "demo2"])
  }

  @Test func theLockIsFreeAgainAfterItsTime() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    admitting.time.advance(by: .seconds(45))
    let admitted = try await admitting.admit(Pods.pod())
    #expect(admitted.pod.annotation(Pods.domain + "/fencing-token") == "2")
  }

  @Test func aClaimWaitsForItsSidecarAndNoLonger() async throws {
    let admitting = Admitting()
    let admitted = try await admitting.admit(Pods.pod())
    #expect(admitted.verdict.claim == admitted.token)
    let owner = try await admitting.store.owner(Admitting.key)
    #expect(owner?.timeLeft == .seconds(120))
    #expect(owner?.record.holder?.podUID == nil)
    #expect(owner?.record.holder?.since == Admitting.today)
    admitting.time.advance(by: .seconds(120))
    _ = try await admitting.admit(Pods.pod(name: "app-1"))
  }

  @Test func anUngatedSidecarGetsTheWholeExpirationAtOnce() async throws {
    var template = Admitting.template
    template.isGated = false
    let admitting = Admitting(template)
    _ = try await admitting.admit(Pods.pod(expiration: "300"))
    #expect(try await admitting.store.owner(Admitting.key)?.timeLeft == .seconds(300))
  }

  @Test func denyIsThePolicyUnlessTheUserSaysWait() async throws {
    let admitting = Admitting()
    try await admitting.occupy()
    let deny = try await admitting.create(Pods.pod(annotations: ["policy": "deny"]))
    #expect(deny.outcome == .taken)
  }

  /// It is let in with a token that holds nothing, and its sidecar waits with that.
  @Test func waitLetsThePodInWithoutTheLock() async throws {
    let admitting = Admitting()
    let token = try await admitting.occupy()
    let pod = Pods.pod(annotations: ["policy": "wait", "fencing-token": "77"])
    let admitted = try await admitting.admit(pod)
    #expect(admitted.verdict.outcome == .waiting && admitted.verdict.claim == nil)
    #expect(admitted.token != token)
    #expect(admitted.pod.annotation(Pods.domain + "/fencing-token") == nil)
    #expect(admitted.pod.label(Pods.domain + "/lock-id") == admitted.token.publicID)
    #expect(try await admitting.store.owner(Admitting.key)?.record.token == token)
    let second = try await admitting.admit(pod)
    #expect(second.token != admitted.token)
  }

  @Test func waitTakesAFreeLockLikeAnybody() async throws {
    let admitting = Admitting()
    let admitted = try await admitting.admit(Pods.pod(annotations: ["policy": "wait"]))
    #expect(admitted.verdict.outcome == .granted)
    #expect(try await admitting.store.owner(Admitting.key)?.record.token == admitted.token)
  }

  @Test func ofManyPodsAtOnceOneIsLetIn() async throws {
    let admitting = Admitting()
    let outcomes = try await withThrowingTaskGroup(of: AdmissionOutcome.self) { group in
      for number in 0..<50 {
        group.addTask { try await admitting.create(Pods.pod(name: "app-\(number)")).outcome }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.filter { $0 == .granted }.count == 1)
    #expect(outcomes.filter { $0 == .taken }.count == 49)
  }
}
