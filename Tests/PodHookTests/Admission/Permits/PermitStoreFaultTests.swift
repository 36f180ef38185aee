import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

/// Stores that cannot decide are no reason to let a Pod in, and none to lose a permit.
@Suite(.timeLimit(.minutes(2))) struct PermitStoreFaultTests {
  private func expectFailure(_ verdict: PodAdmission.Verdict) throws {
    #expect(verdict.outcome == .storeUnavailable && !verdict.outcome.isAllowed)
    let refusal = try #require(verdict.response.refusal)
    #expect(refusal.code == 500)
    #expect(refusal.message.contains("redis-1:6379: connection refused"))
    #expect(verdict.response.patch == nil && verdict.claim == nil)
    #expect(verdict.key == Admitting.key && verdict.pod == "app-0")
  }

  private func expectNothingIsTaken(_ admitting: PermitAdmitting) async throws {
    #expect(try await admitting.queue.numbers().inFlight == 0)
    try await admitting.expectNoLock()
  }

  @Test(arguments: [ScriptedQueue.Operation.settle, .pop], ["deny", "wait"])
  func aQueueThatIsAwayRefuses(operation: ScriptedQueue.Operation, policy: String) async throws {
    let admitting = PermitAdmitting()
    admitting.queue.fail(operation)
    let pod = Pods.permitPod(annotations: ["policy": .string(policy)])
    try expectFailure(try await admitting.create(pod))
    try await expectNothingIsTaken(admitting)
    admitting.queue.recover()
    #expect(try await admitting.create(pod).outcome == .granted)
  }

  @Test func aLockStoreThatIsAwayRefuses() async throws {
    let admitting = PermitAdmitting()
    admitting.locks.fail(.acquire)
    try expectFailure(try await admitting.create(Pods.permitPod()))
    #expect(admitting.queue.calls == [])
    try await expectNothingIsTaken(admitting)
  }

  /// The lock is let go of in the background, and the Pod is let in.
  @Test func aLockThatCannotBeLetGoOfCostsNobodyItsPermit() async throws {
    let admitting = PermitAdmitting()
    admitting.locks.fail(.release)
    #expect(try await admitting.create(Pods.permitPod()).outcome == .granted)
    #expect(admitting.locks.calls == [.acquire, .release, .giveBack])
    try await admitting.expectNoLock()
  }

  @Test func aPermitWhoseAnswerGotLostIsGivenBack() async throws {
    let admitting = PermitAdmitting()
    admitting.queue.loseAnswers(to: .pop)
    try expectFailure(try await admitting.create(Pods.permitPod(length: "1")))
    try await expectNothingIsTaken(admitting)
    admitting.queue.recover()
    #expect(try await admitting.create(Pods.permitPod(length: "1")).outcome == .granted)
  }

  @Test func aReinvocationFailsAlike() async throws {
    let admitting = PermitAdmitting()
    let admitted = try await admitting.admit(Pods.permitPod())
    admitting.queue.fail(.permit)
    try expectFailure(try await admitting.create(admitted.pod))
  }

  @Test(arguments: ["exactly-one-0", ""])
  func aLockOfTheOtherHookIsAMisconfiguration(name: String) async throws {
    let admitting = PermitAdmitting()
    let holder = Holder(pod: name, podUID: "uid-9", since: 1)
    _ = try await admitting.locks.memory.acquire(
      Admitting.key, as: holder, ttl: .seconds(60), deadline: .zero)
    let verdict = try await admitting.create(Pods.permitPod())
    #expect(verdict.outcome == .misconfigured)
    #expect(verdict.response.refusal?.code == 500)
    let message = verdict.response.refusal?.message ?? ""
    #expect(message.contains("lock of exactly-one-pod-hook under this name"))
    #expect(message.contains("--key-prefix"))
    #expect(message.contains(name.isEmpty ? "a Pod holds" : "Pod exactly-one-0 holds"))
    #expect(try await admitting.queue.numbers().inFlight == 0)
    #expect(try await admitting.locks.owner(Admitting.key)?.record.holder == holder)
  }

  /// Another replica is at work: it is waited for, and the Pod is let in on the first try.
  @Test func aLockOfAnotherReplicaIsWaitedFor() async throws {
    let admitting = PermitAdmitting()
    let replica = Holder(pod: "", owner: "at-least", since: 1)
    let result = try await admitting.locks.memory.acquire(
      Admitting.key, as: replica, ttl: .seconds(60), deadline: .zero)
    guard case .granted(let lease) = result else { throw Admitting.Occupied() }
    async let verdict = admitting.create(Pods.permitPod())
    await admitting.time.settle()
    admitting.locks.memory.giveBack(Admitting.key, token: lease.token, podUID: nil)
    if let alarm = admitting.time.nextAlarm { admitting.time.advance(to: alarm) }
    #expect(try await verdict.outcome == .granted)
    try await admitting.expectNoLock()
  }

  @Test func aLockThatIsNotLetGoOfIsNamedAtTheDeadline() async throws {
    let admitting = PermitAdmitting()
    let replica = Holder(pod: "", owner: "at-least", since: 1)
    _ = try await admitting.locks.memory.acquire(
      Admitting.key, as: replica, ttl: .seconds(60), deadline: .zero)
    async let verdict = admitting.create(Pods.permitPod())
    await admitting.time.settle()
    admitting.time.advance(by: .seconds(9))
    let refusal = try await verdict.response.refusal
    #expect(refusal?.code == 500)
    #expect(
      refusal?.message.contains("at-least holds the lock around the semaphore; try again") == true)
    #expect(refusal?.message.contains("frees itself in 51 s") == true)
  }

  /// A Pod that turns out to be unreadable after the permit was taken must not keep it.
  @Test func nothingStaysTakenForAPodThatCannotBeRead() async throws {
    let admitting = PermitAdmitting()
    let domain = Pods.permitDomain
    let text = """
      {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u",
      "kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"demo","operation":"CREATE",
      "object":{"metadata":{"name":"p","annotations":{"\(domain)/at-least-semaphore-pod":"true",
      "\(domain)/key":"k","\(domain)/length":"1","\(domain)/expiration":"60"}},
      "spec":{"volumes":[],"terminationGracePeriodSeconds":1,"terminationGracePeriodSeconds":2,
      "containers":[{"name":"app"}]}}}}
      """
    let verdict = await admitting.hook.review(
      try .init(parsing: Array(text.utf8)), deadline: .seconds(2000))
    #expect(verdict.outcome == .ambiguous && verdict.response.refusal?.code == 403)
    #expect(admitting.queue.calls == [.settle, .pop, .giveBack])
    let numbers = try await admitting.queue.numbers()
    #expect(numbers.inFlight == 0 && numbers.queue == 1)
  }
}
