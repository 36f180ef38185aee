import Coordination
import Testing

@Suite(.sharedQueues) struct PermitTests {
  @Test(arguments: SemaphoreKind.allCases)
  func asManyPermitsAsStatedAreTakenAndGivenBack(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "taken")
    #expect(try await store.settle(key, 3).numbers == [3, 3, 0])
    var tokens: Set<Token> = []
    for taken in 1...3 {
      tokens.insert(try #require(try await store.pop(key, 3)))
      #expect(try await store.counts(key).numbers == [3, 3 - taken, taken])
    }
    #expect(tokens.count == 3)
    #expect(try await store.pop(key, 3) == nil)
    #expect(try await store.settle(key, 3).numbers == [3, 0, 3])
    #expect(try await store.pop(key, 3) == nil)
    for (place, token) in tokens.enumerated() {
      #expect(try await store.release(key, token))
      #expect(try await !store.release(key, token))
      #expect(try await store.counts(key).numbers == [3, place + 1, 2 - place])
    }
    let next = try #require(try await store.pop(key, 3))
    #expect(!tokens.contains(next))
  }

  @Test(arguments: SemaphoreKind.allCases)
  func whatNobodySettledHasNoPermits(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "never")
    #expect(try await store.pop(key, 3) == nil)
    #expect(try await store.heartbeat(key, .uuid(), as: .pod("a")) == .lost(overLength: .zero))
    #expect(try await !store.release(key, .uuid()))
    #expect(try await !store.release(key, .uuid(), "u1"))
    let counts = try await store.counts(key)
    #expect(
      counts
        == SemaphoreCounts(
          length: nil, queue: 0, inFlight: 0, stale: 0, oldest: nil, reclaimed: 0, lost: 0,
          overLength: .zero))
    #expect(try await store.permits(key).isEmpty)
    #expect(try await !store.keys(deadline: later).contains(key))
  }

  @Test(arguments: SemaphoreKind.allCases)
  func theFirstSidecarWithTheTokenBindsAClaim(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "bound")
    let token = try await store.permit(key, of: 2)
    #expect(try await store.heartbeat(key, token, as: .pod("a")) == .alive)
    #expect(try await store.heartbeat(key, token, as: .pod("a", uid: "u1")) == .alive)
    for holder in [Holder.pod("copy", uid: "u2"), .pod("nobody")] {
      #expect(
        try await store.heartbeat(key, token, as: holder) == .lost(overLength: .zero))
    }
    #expect(try await store.heartbeat(key, token, as: .pod("a", uid: "u1")) == .alive)
    let permit = try await store.permit(key, token: token, deadline: later)
    #expect(permit?.holder == .pod("a", uid: "u1"))
    // Who is not the holder came too late, but lost nothing.
    #expect(try await store.counts(key).lost == 0)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aPermitTakenWithAUIDIsBoundAtOnce(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "bound-at-once")
    let token = try await store.permit(key, of: 2, as: .pod("a", uid: "u1"))
    #expect(try await store.heartbeat(key, token, as: .pod("b", uid: "u2")).isLost)
    #expect(try await !store.release(key, token))
    #expect(try await store.isInFlight(key, token))
  }

  @Test(arguments: SemaphoreKind.allCases)
  func onlyTheHolderGivesBack(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "released")
    let mine = try await store.permit(key, of: 2, as: .pod("a", uid: "u1"))
    let other = try await store.permit(key, of: 2, as: .pod("b", uid: "u2"))
    #expect(try await !store.release(key, mine, "u2"))
    #expect(try await !store.release(key, .uuid(), "u1"))
    #expect(try await !store.release(key, mine))
    #expect(try await store.counts(key).numbers == [2, 0, 2])
    for _ in 0..<3 { _ = try await store.release(key, mine, "u1") }
    #expect(try await store.counts(key).numbers == [2, 1, 1])
    #expect(try await store.isInFlight(key, other))
    #expect(try await !store.isInFlight(key, mine))
  }

  @Test(arguments: SemaphoreKind.allCases)
  func whatIsGivenBackIsSoonFree(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "given-back")
    let token = try await store.permit(key, of: 2, as: .pod("a", uid: "u1"))
    let kept = try await store.permit(key, of: 2, as: .pod("b", uid: "u2"))
    store.giveBack(key, token: kept, podUID: nil)
    store.giveBack(key, token: kept, podUID: "u1")
    store.giveBack(key, token: .uuid(), podUID: "u2")
    store.giveBack(key, token: token, podUID: "u1")
    store.giveBack(key, token: token, podUID: "u1")
    try await eventually("the permit is free") { try await !store.isInFlight(key, token) }
    let next = try #require(try await store.pop(key, 2))
    #expect(try await store.counts(key).numbers == [2, 0, 2])
    #expect(try await store.isInFlight(key, kept))
    #expect(next != token)
  }
}
