import LocalServers
import Testing

@testable import Coordination

/// Callers that come at the same time in one process.
@Suite struct SharedPassTests {
  private let key = NamespacedKey(namespace: "team", key: "shared")
  private let store = GatedStore()
  private let locks = MemoryLockStore(time: time)
  private let semaphore: Semaphore

  init() { semaphore = Semaphore(store: store, locks: locks, name: "test", time: time) }

  private func follow(_ count: Int) async throws {
    let (semaphore, key) = (semaphore, key)
    try await eventually("\(count) callers wait") { semaphore.passes.followers(of: key) == count }
  }

  private func asked(_ count: Int) async throws {
    try await store.state.first { $0.asked.count == count ? () : nil }
  }

  /// Starts a caller.
  private func caller(
    _ length: Int = 100, deadline: Duration? = nil
  ) -> Task<Result<Semaphore.Take, SemaphoreError>, Never> {
    let (semaphore, key) = (semaphore, key)
    return Task { await semaphore.result(key, length, deadline: deadline) }
  }

  private func holdLock() async throws -> Token {
    try await locks.take(key, as: Holder(pod: "", owner: "other", since: 1)).token
  }

  private func freeLock(_ token: Token) async throws {
    #expect(try await locks.release(key, token: token, podUID: nil, deadline: later))
  }

  @Test func whoComesWhileAPassIsUnderWaySharesTheNext() async throws {
    store.state.update { $0.isOpen = false }
    let leader = caller(60)
    try await asked(1)
    var others: [Task<Result<Semaphore.Take, SemaphoreError>, Never>] = []
    for place in 0..<50 {
      others.append(caller(61 + place))
      try await follow(place + 1)
    }
    store.state.update { $0.isOpen = true }
    #expect(await leader.value.token != nil)
    for other in others { #expect(await other.value.token != nil) }
    // The last one's length counts.
    #expect(store.state.current.asked == [60, 110])
    #expect(try await store.counts(key).numbers == [110, 59, 51])
  }

  @Test func whoComesWhileTheLockIsWaitedForSharesThePass() async throws {
    let token = try await holdLock()
    let leader = caller(10)
    try await follow(0)
    let others = (0..<20).map { _ in caller(30) }
    try await follow(20)
    try await freeLock(token)
    #expect(await leader.value.token != nil)
    for other in others { #expect(await other.value.token != nil) }
    #expect(store.state.current.asked == [30])
    #expect(try await locks.isFree(key))
  }

  @Test func keysDoNotWaitForEachOther() async throws {
    store.state.update { $0.isOpen = false }
    let leader = caller()
    try await asked(1)
    let other = NamespacedKey(namespace: "team", key: "other")
    async let second = semaphore.result(other, 3)
    try await asked(2)
    store.state.update { $0.isOpen = true }
    #expect(await second.token != nil)
    #expect(await leader.value.token != nil)
  }

  // MARK: Leaders that give up

  @Test(arguments: [true, false])
  func aCancelledLeaderHandsOn(whileSettling: Bool) async throws {
    let token = whileSettling ? nil : try await holdLock()
    store.state.update { $0.isOpen = false }
    let leader = caller()
    if whileSettling { try await asked(1) } else { try await follow(0) }
    let others = (0..<10).map { _ in caller() }
    try await follow(10)
    leader.cancel()
    #expect(await leader.value.error?.isCancelled == true)
    if let token { try await freeLock(token) }
    store.state.update { $0.isOpen = true }
    for other in others { #expect(await other.value.token != nil) }
    #expect(semaphore.passes.followers(of: key) == nil)
    #expect(try await locks.isFree(key))
  }

  @Test func aLeaderAtItsDeadlineHandsOn() async throws {
    let token = try await holdLock()
    let leader = caller(deadline: time.now + .milliseconds(500))
    try await follow(0)
    let others = (0..<10).map { _ in caller() }
    let error = try #require(await leader.value.error)
    #expect(error.isLockHeld && error.description.contains("other"))
    try await freeLock(token)
    for other in others { #expect(await other.value.token != nil) }
  }

  @Test func aStoreThatFailsFailsEverybodyWhoWaited() async throws {
    store.state.update {
      $0.isOpen = false
      $0.failures = [
        StoreError(
          .noQuorum, key: nil, quorum: 1, members: 1,
          failures: [.init(member: "redis-1", reason: "gone")])
      ]
    }
    let leader = caller()
    try await asked(1)
    let others = (0..<10).map { _ in caller() }
    try await follow(10)
    store.state.update { $0.isOpen = true }
    for caller in [leader] + others {
      #expect(await caller.value.error?.description.contains("redis-1: gone") == true)
    }
    #expect(store.state.current.asked.count == 1)
    #expect(await caller().value.token != nil)
  }

  @Test func aContendedStoreFailsOnlyTheLeader() async throws {
    store.state.update {
      $0.isOpen = false
      $0.failures = [StoreError(.contended, key: nil, quorum: 1, members: 1)]
    }
    let leader = caller()
    try await asked(1)
    let others = (0..<10).map { _ in caller() }
    try await follow(10)
    store.state.update { $0.isOpen = true }
    #expect(await leader.value.error != nil)
    for other in others { #expect(await other.value.token != nil) }
  }

  // MARK: Followers that give up

  @Test func aCancelledFollowerLeavesTheOthersAlone() async throws {
    store.state.update { $0.isOpen = false }
    let leader = caller()
    try await asked(1)
    let others = (0..<10).map { _ in caller() }
    try await follow(10)
    for other in others[..<5] { other.cancel() }
    for other in others[..<5] { #expect(await other.value.error?.isCancelled == true) }
    try await follow(5)
    store.state.update { $0.isOpen = true }
    #expect(await leader.value.token != nil)
    for other in others[5...] { #expect(await other.value.token != nil) }
    #expect(try await store.counts(key).inFlight == 6)
  }

  @Test func aFollowerDoesNotWaitBeyondItsDeadline() async throws {
    store.state.update { $0.isOpen = false }
    let leader = caller()
    try await asked(1)
    let error = try #require(
      await caller(deadline: time.now + .milliseconds(50)).value.error)
    #expect(error.isBusy && error.description.contains("try again"))
    #expect(await caller(deadline: time.now - .seconds(1)).value.error?.isBusy == true)
    store.state.update { $0.isOpen = true }
    #expect(await leader.value.token != nil)
  }

  @Test func aFollowerAtItsDeadlineIsToldWhoHasTheLock() async throws {
    let token = try await holdLock()
    let leader = caller()
    try await follow(0)
    let error = try #require(
      await caller(deadline: time.now + .seconds(1)).value.error)
    #expect(error.isLockHeld && error.description.contains("other"))
    try await freeLock(token)
    #expect(await leader.value.token != nil)
  }

  @Test func followersThatBecomeLeadersWithoutTimeHandOnTo() async throws {
    let token = try await holdLock()
    let deadlines = (1...10).map { time.now + .milliseconds(40 * $0) }
    let callers = deadlines.map { caller(deadline: $0) } + [caller()]
    for caller in callers.dropLast() { #expect(await caller.value.error != nil) }
    try await freeLock(token)
    #expect(await callers[10].value.token != nil)
    #expect(semaphore.passes.followers(of: key) == nil)
  }
}
