import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

/// A store that cannot decide is no reason to let a Pod in.
@Suite struct UnavailableStoreTests {
  private func expectFailure(_ verdict: PodAdmission.Verdict) throws {
    #expect(verdict.outcome == .storeUnavailable && !verdict.outcome.isAllowed)
    let refusal = try #require(verdict.response.refusal)
    #expect(refusal.code == 500)
    #expect(refusal.message.contains("2 of 3 members of the store must answer"))
    #expect(refusal.message.contains("redis-1:6379: connection refused"))
    #expect(refusal.message.contains("redis-2:6379: no answer within 500ms"))
    #expect(verdict.response.patch == nil && verdict.claim == nil)
  }

  @Test(arguments: ["deny", "wait"])
  func refusesAndNamesTheMembers(policy: String) async throws {
    let admitting = Admitting()
    admitting.store.fail(.acquire)
    let verdict = try await admitting.create(Pods.pod(annotations: ["policy": .string(policy)]))
    try expectFailure(verdict)
    #expect(verdict.key == Admitting.key && verdict.pod == "app-0")
    #expect(try await admitting.store.owner(Admitting.key) == nil)
  }

  @Test func theAnswerIsAnAdmissionReviewThatIsNotAllowed() async throws {
    let admitting = Admitting()
    admitting.store.fail(.acquire)
    let bytes = try await admitting.create(Pods.pod()).response.encoded(uid: "u-1")
    let response = try JSONValue(parsing: bytes)["response"]
    #expect(response?["allowed"] == false && response?["uid"] == "u-1")
    #expect(response?["status"]?["code"] == 500)
    #expect(response?["patch"] == nil)
  }

  @Test func aDryRunFailsAlike() async throws {
    let admitting = Admitting()
    admitting.store.fail(.inspect)
    try expectFailure(try await admitting.create(Pods.pod(), ["dryRun": true]))
  }

  /// What cannot be proved to be a second call for one request is not let through.
  @Test func aReinvocationFailsAlike() async throws {
    let admitting = Admitting()
    let admitted = try await admitting.admit(Pods.pod())
    admitting.store.fail(.inspect)
    try expectFailure(try await admitting.create(admitted.pod))
  }

  @Test func thePodIsLetInOnceTheStoreIsBack() async throws {
    let admitting = Admitting()
    admitting.store.fail(.acquire)
    _ = try await admitting.create(Pods.pod())
    admitting.store.recover()
    #expect(try await admitting.create(Pods.pod()).outcome == .granted)
  }

  /// A Pod that turns out to be unreadable after the lock was taken must not keep it.
  @Test func nothingStaysTakenForAPodThatCannotBeRead() async throws {
    let admitting = Admitting()
    let text = """
      {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u",
      "kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"demo","operation":"CREATE",
      "object":{"metadata":{"name":"p","annotations":{"\(Pods.domain)/exactly-one-pod":"true",
      "\(Pods.domain)/key":"k","\(Pods.domain)/expiration":"60"}},
      "spec":{"volumes":[],"terminationGracePeriodSeconds":1,"terminationGracePeriodSeconds":2,
      "containers":[{"name":"app"}]}}}}
      """
    let verdict = await admitting.hook.review(
      try .init(parsing: Array(text.utf8)), deadline: .seconds(2000))
    #expect(verdict.outcome == .ambiguous && verdict.response.refusal?.code == 403)
    #expect(
      verdict.response.refusal?.message.contains("terminationGracePeriodSeconds") == true)
    #expect(admitting.store.calls == [.acquire, .giveBack])
    #expect(try await admitting.store.owner(Admitting.key) == nil)
  }
}
