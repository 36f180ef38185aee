import Coordination
import Testing

/// Holders that were silent for too long.
@Suite(.sharedQueues) struct StaleHolderTests {
  private let holder = Holder.pod("a", uid: "u1")
  private let next = Holder.pod("b", uid: "u2")

  @Test(arguments: SemaphoreKind.allCases)
  func aSilentHolderIsReclaimedWhenTheKeyIsSettled(kind: SemaphoreKind) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "silent")
    let token = try await store.permit(key, of: 2, as: holder)
    try await subject.pass(store.staleAfter * 0.5, key)
    let other = try await store.permit(key, of: 2, as: next)
    try await subject.pass(store.staleAfter * 0.6, key)
    let before = try await store.counts(key)
    if !kind.usesLeases {
      #expect(before.numbers == [2, 0, 2])
      #expect(before.stale == 1)
      #expect(before.oldest?.token == token)
    }
    #expect(try await store.pop(key, 2) == nil)

    let settled = try await store.settle(key, 2, untilReclaimed: 1)
    #expect(settled.numbers == [2, 1, 1])
    #expect(settled.stale == 0 && settled.reclaimed == 1)
    #expect(settled.oldest?.token == other)
    #expect(try await !store.isInFlight(key, token))
    #expect(try await store.settle(key, 2).reclaimed == 1)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aHeartbeatBeforeTheSettlingSavesTheHolder(kind: SemaphoreKind) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "saved")
    let token = try await store.permit(key, of: 1, as: holder)
    for _ in 0..<3 {
      try await subject.pass(store.staleAfter * 0.7, key)
      #expect(try await store.heartbeat(key, token, as: holder) == .alive)
      #expect(try await store.settle(key, 1).reclaimed == 0)
    }
    if kind.usesLeases { return }
    try await subject.pass(store.staleAfter * 1.5, key)
    #expect(try await store.counts(key).stale == 1)
    #expect(try await store.heartbeat(key, token, as: holder) == .alive)
    #expect(try await store.settle(key, 1).numbers == [1, 0, 1])
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aClaimThatNobodyTakesOverIsBackAfterItsLifetime(kind: SemaphoreKind) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "claim")
    _ = try await store.settle(key, 2)
    let claim = try await store.pop(key, 2, lifetime: store.staleAfter * 0.5)
    let bound = try await store.pop(key, 2, lifetime: store.staleAfter * 0.5)
    let token = try #require(bound)
    #expect(try await store.heartbeat(key, token, as: holder) == .alive)
    try await subject.pass(store.staleAfter * 0.4, key)
    #expect(try await store.settle(key, 2).reclaimed == 0)
    try await subject.pass(store.staleAfter * 0.2, key)
    #expect(try await store.settle(key, 2, untilReclaimed: 1).numbers == [2, 1, 1])
    #expect(try await store.heartbeat(key, try #require(claim), as: .pod("a")).isLost)
    #expect(try await store.heartbeat(key, token, as: holder) == .alive)
    // A longer lifetime than that of a heartbeat there is not.
    _ = try await store.pop(key, 2, lifetime: store.staleAfter * 9)
    try await subject.pass(store.staleAfter * 1.1, key)
    #expect(try await store.settle(key, 2, untilReclaimed: 3).numbers == [2, 2, 0])
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aHolderThatComesBackIsToldOnceForHowLongAnotherHadItsPermit(
    kind: SemaphoreKind
  ) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "lost")
    let token = try await store.permit(key, of: 1, as: holder)
    try await subject.pass(store.staleAfter * 1.1, key)
    let retaken = try await store.permitSoon(key, of: 1, as: next)
    try await subject.pass(store.staleAfter * 0.5, key)
    let told = try #require(try await store.heartbeat(key, token, as: holder).overLength)
    #expect(told >= store.staleAfter * 0.5 && told < store.staleAfter)
    let counts = try await store.counts(key)
    #expect(counts.numbers == [1, 0, 1])
    #expect(counts.lost == 1)
    #expect(counts.overLength >= told - .milliseconds(1) && counts.overLength <= told)
    for _ in 0..<2 {
      #expect(try await store.heartbeat(key, token, as: holder) == .lost(overLength: .zero))
      #expect(try await !store.release(key, token, "u1"))
    }
    #expect(try await store.counts(key).lost == 1)
    #expect(try await store.counts(key).overLength == counts.overLength)
    #expect(try await store.heartbeat(key, retaken, as: next) == .alive)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aHolderWhosePermitNobodyTookCostNothing(kind: SemaphoreKind) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "not-retaken")
    let first = try await store.permit(key, of: 3, as: holder)
    try await subject.pass(store.staleAfter * 1.1, key)
    // There were other free ones, and are.
    _ = try await store.settle(key, 3, untilReclaimed: 1)
    let second = try await store.permit(key, of: 3, as: next)
    try await subject.pass(store.staleAfter * 0.5, key)
    #expect(try await store.heartbeat(key, first, as: holder) == .lost(overLength: .zero))
    #expect(try await store.counts(key).lost == 1)
    #expect(try await store.counts(key).overLength == .zero)
    #expect(try await store.isInFlight(key, second))
    // It may try again.
    #expect(try await store.pop(key, 3, as: holder) != nil)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func theLongestDeadIsTakenForTheOneWhosePermitWasTaken(kind: SemaphoreKind) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "two-dead")
    var tokens: [Token] = []
    for pod in 0..<3 {
      tokens.append(try await store.permit(key, of: 3, as: .pod("p\(pod)", uid: "p\(pod)")))
      try await subject.pass(store.staleAfter * 0.4, key)
    }
    #expect(try await store.settle(key, 3, untilReclaimed: 1).reclaimed == 1)
    #expect(try await store.heartbeat(key, tokens[2], as: .pod("p2", uid: "p2")) == .alive)
    try await subject.pass(store.staleAfter * 0.4, key)
    #expect(try await store.settle(key, 3, untilReclaimed: 2).reclaimed == 2)
    // One is alive, one new: of the two dead, one has a free slot still.
    #expect(try await store.pop(key, 3, as: next) != nil)
    try await subject.pass(store.staleAfter * 0.1, key)
    let told = try await store.heartbeat(key, tokens[0], as: .pod("p0", uid: "p0")).overLength
    // By leases nobody knows whose it was: as one is free, the one that came back had it.
    #expect(
      kind.usesLeases ? told == .zero : try #require(told) >= store.staleAfter * 0.1)
    let other = try await store.heartbeat(key, tokens[1], as: .pod("p1", uid: "p1"))
    #expect(other == .lost(overLength: .zero))
    #expect(try await store.heartbeat(key, tokens[2], as: .pod("p2", uid: "p2")) == .alive)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aReclaimedHolderThatEndsBeforeItsNextHeartbeatIsCountedToo(
    kind: SemaphoreKind
  ) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "ended")
    let token = try await store.permit(key, of: 1, as: holder)
    try await subject.pass(store.staleAfter * 1.1, key)
    let retaken = try await store.permitSoon(key, of: 1, as: next)
    try await subject.pass(store.staleAfter * 0.5, key)
    // Whoever only clears away, without having run, does not count.
    #expect(try await !store.release(key, token))
    #expect(try await store.counts(key).lost == 0)
    #expect(try await !store.release(key, token, "u1"))
    #expect(try await store.counts(key).lost == 1)
    #expect(try await store.counts(key).overLength >= store.staleAfter * 0.5 - .milliseconds(1))
    #expect(try await store.isInFlight(key, retaken))
    #expect(try await store.counts(key).numbers == [1, 0, 1])
  }
}
