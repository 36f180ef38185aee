import Coordination
import PodHook
import ServiceKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct SemaphoreInspectionTests {
  private let time = ManualTime()
  private let queue: ScriptedQueue
  private let locks: ScriptedStore
  private let inspection: SemaphoreInspection
  private let key = Admitting.key

  init() {
    queue = ScriptedQueue(time: time)
    locks = ScriptedStore(time: time)
    inspection = SemaphoreInspection(
      semaphore: Semaphore(store: queue, locks: locks, name: "at-least", time: time), time: time)
  }

  private func claim(_ pod: String, uid: String? = nil, isGenerated: Bool = false) async throws
    -> Token
  {
    let holder = Holder(pod: pod, isGeneratedName: isGenerated, podUID: uid, since: 0)
    let permit = try await queue.memory.pop(
      key, length: 100, as: holder, lifetime: .seconds(120), deadline: .zero)
    let token: Token = try #require(permit)
    return token
  }

  private func released(_ releases: [SemaphoreInspection.Release]) -> [Token] {
    releases.compactMap { if case .released(let permit) = $0 { permit.token } else { nil } }
  }

  // MARK: - status

  @Test func showsAllThatAreInUse() async throws {
    let other = NamespacedKey(namespace: "demo", key: "a")
    try await queue.settleNow(other, length: 2)
    try await queue.occupy(length: 3)
    let reports = try await inspection.status(nil)
    #expect(reports.map(\.key) == [other, key])
    #expect(reports.map(\.counts.inFlight) == [0, 3] && reports.map(\.counts.queue) == [2, 0])
    #expect(reports[0].permits == [] && reports[1].permits.count == 3)
    #expect(locks.calls == [])
  }

  @Test func showsOneAlsoIfNobodyUsesIt() async throws {
    let reports = try await inspection.status(key)
    #expect(reports.count == 1 && reports[0].counts.length == nil && reports[0].permits == [])
    #expect(!queue.calls.contains(.keys) && !queue.calls.contains(.settle))
  }

  @Test func theLongestSilentComesFirst() async throws {
    try await queue.settleNow(length: 3)
    let first = try await claim("a")
    time.advance(by: .seconds(10))
    let second = try await claim("b")
    let report = try #require(try await inspection.status(key).first)
    #expect(report.permits.map(\.token) == [first, second])
    #expect(report.permits.map(\.silence) == [.seconds(10), .zero])
  }

  // MARK: - release

  @Test(arguments: [nil, "uid"])
  func releasesThePermitThatIsNamedWhoeverHasIt(uid: String?) async throws {
    try await queue.settleNow(length: 2)
    let (token, other) = (try await claim("a", uid: uid), try await claim("b", uid: "b"))
    #expect(released([try await inspection.release(key, token: token)]) == [token])
    #expect(try await queue.inFlight().map(\.token) == [other])
    #expect(try await queue.numbers().queue == 1)
    #expect(released([try await inspection.release(key, token: token)]) == [])
    #expect(try await queue.numbers().queue == 1)
  }

  @Test func aPermitOfAnotherKeyIsUnknown() async throws {
    try await queue.settleNow(length: 1)
    let token = try await claim("a")
    let other = NamespacedKey(namespace: "demo", key: "other")
    guard case .unknown = try await inspection.release(other, token: token) else {
      Issue.record("another answer")
      return
    }
    #expect(try await queue.inFlight().count == 1)
    #expect(queue.calls == [.permit])
  }

  /// Its sidecar takes a claim over between the look and the release: it is still the one named.
  @Test func releasesAClaimThatIsBoundMeanwhile() async throws {
    try await queue.settleNow(length: 1)
    let token = try await claim("a")
    queue.hold(.release)
    async let release = inspection.release(key, token: token)
    await queue.called(.release)
    let holder = Holder(pod: "a", podUID: "uid", since: 0)
    _ = try await queue.memory.heartbeat(key, token: token, as: holder, deadline: .zero)
    queue.letGo()
    #expect(released([try await release]) == [token])
    #expect(queue.calls == [.permit, .release, .permit, .release])
    #expect(try await queue.numbers().inFlight == 0)
  }

  @Test func releasesAllPermitsOfAPodAndNobodyElses() async throws {
    try await queue.settleNow(length: 5)
    let mine = [try await claim("a", uid: "1"), try await claim("a", uid: "2")]
    let others = [try await claim("ab", uid: "3"), try await claim("A", uid: "4")]
    let releases = try await inspection.release(key, pod: "a")
    #expect(Set(released(releases)) == Set(mine))
    #expect(Set(try await queue.inFlight().map(\.token)) == Set(others))
    #expect(try await inspection.release(key, pod: "a").isEmpty)
  }

  /// A Pod that has only been admitted goes by what `status` shows.
  @Test func aPodWithoutANameYetIsNamedAsItIsShown() async throws {
    try await queue.settleNow(length: 2)
    let token = try await claim("app-", isGenerated: true)
    #expect(try await inspection.release(key, pod: "app-").isEmpty)
    #expect(released(try await inspection.release(key, pod: "app-…")) == [token])
  }

  // MARK: - resize

  @Test func aRaisedLengthIsThereAtOnce() async throws {
    try await queue.occupy(length: 2)
    let counts = try await inspection.resize(key, to: 5)
    #expect(counts.length == 5 && counts.inFlight == 2 && counts.queue == 3)
    #expect(try await queue.numbers() == counts)
    #expect(locks.calls == [.acquire, .release])
    #expect(try await locks.owner(key) == nil)
  }

  @Test func aLoweredLengthEvictsNobody() async throws {
    try await queue.occupy(length: 3)
    let counts = try await inspection.resize(key, to: 1)
    #expect(counts.length == 1 && counts.inFlight == 3 && counts.queue == 0)
    #expect(try await queue.inFlight().count == 3)
  }

  @Test func aStoreThatDoesNotAnswerIsSaidInWords() async throws {
    for operation in [ScriptedQueue.Operation.keys, .permits, .settle] {
      queue.fail(operation)
      let error = await #expect(throws: FatalError.self) {
        try await withRunning([queue, locks]) { [inspection, key] in
          if operation == .settle {
            _ = try await inspection.resize(key, to: 1)
          } else {
            _ = try await inspection.status(operation == .keys ? nil : key)
          }
        }
      }
      #expect(error?.message.contains("redis-1:6379: connection refused") == true)
      queue.recover()
    }
  }

  @Test func aLockOfTheOtherHookIsSaidInWords() async throws {
    let holder = Holder(pod: "one-0", podUID: "u", since: 0)
    _ = try await locks.memory.acquire(key, as: holder, ttl: .seconds(60), deadline: .zero)
    let error = await #expect(throws: FatalError.self) {
      try await withRunning([queue, locks]) { [inspection, key] in
        _ = try await inspection.resize(key, to: 1)
      }
    }
    #expect(error?.message.contains("Pod one-0 holds a lock of exactly-one-pod-hook") == true)
  }
}
