import Coordination
import Testing

@Suite(.sharedServers) struct ReleasingTests {
  @Test(arguments: StoreKind.allCases)
  func onlyTheHolderReleases(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "released")
    let lease = try await store.take(key, as: .pod("a", uid: "u1"))
    #expect(try await !store.release(key, token: .random(), podUID: "u1", deadline: later))
    #expect(try await !store.release(key, token: lease.token, podUID: "u2", deadline: later))
    #expect(try await !store.release(key, token: lease.token, podUID: nil, deadline: later))
    #expect(try await store.isHeld(key, by: lease.token))

    #expect(try await store.release(key, token: lease.token, podUID: "u1", deadline: later))
    #expect(try await store.isFree(key))
    #expect(try await !store.release(key, token: lease.token, podUID: "u1", deadline: later))
    let next = try await store.take(key).fencingToken
    #expect(kind.countsFencingTokens ? next == lease.fencingToken + 1 : next > lease.fencingToken)
  }

  @Test(arguments: StoreKind.allCases, [nil, "u1"])
  func anUnboundClaimIsReleasedByItsToken(kind: StoreKind, podUID: String?) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "claim-released-\(podUID ?? "")")
    let claim = try await store.take(key)
    #expect(try await store.release(key, token: claim.token, podUID: podUID, deadline: later))
    #expect(try await store.isFree(key))
  }

  @Test(arguments: StoreKind.allCases)
  func whatIsGivenBackIsSoonFree(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "given-back")
    let other = NamespacedKey(namespace: "team", key: "not-given-back")
    let lease = try await store.take(key, as: .pod("a", uid: "u1"))
    let kept = try await store.take(other, as: .pod("a", uid: "u1"))
    store.giveBack(other, token: kept.token, podUID: nil)
    store.giveBack(other, token: kept.token, podUID: "u2")
    store.giveBack(other, token: lease.token, podUID: "u1")
    store.giveBack(key, token: lease.token, podUID: "u1")
    try await eventually("the lock is free") { try await store.isFree(key) }
    #expect(try await store.isHeld(other, by: kept.token))
  }

  @Test(arguments: StoreKind.allCases)
  func givingBackDoesNotTouchTheNextLockOfTheSameKey(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "given-back-late")
    for _ in 0..<50 {
      let first = try await store.take(key)
      _ = try await store.release(key, token: first.token, podUID: nil, deadline: later)
      store.giveBack(key, token: first.token, podUID: nil)
      let second = try await store.take(key)
      store.giveBack(key, token: first.token, podUID: nil)
      #expect(try await store.isHeld(key, by: second.token))
      #expect(try await store.release(key, token: second.token, podUID: nil, deadline: later))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func openingIsRecordedForTheBoundPodOnly(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "opened")
    func isOpened(_ uid: String?) async throws -> Bool {
      try await store.inspect(key, podUID: uid, deadline: later).isOpened
    }
    func recordOpened(_ token: Token, _ uid: String) async throws -> Bool {
      try await store.recordOpened(key, token: token, podUID: uid, deadline: later)
    }
    #expect(try await !recordOpened(.random(), "u1"))
    let claim = try await store.take(key)
    #expect(try await !recordOpened(claim.token, "u1"))
    _ = try await store.extend(key, claim.token, as: .pod("a", uid: "u1"))
    #expect(try await !recordOpened(claim.token, "u2"))
    #expect(try await !recordOpened(.random(), "u1"))
    #expect(try await !isOpened("u1"))

    #expect(try await recordOpened(claim.token, "u1"))
    #expect(try await isOpened("u1"))
    #expect(try await !isOpened("u2"))
    #expect(try await !isOpened(nil))

    try await store.forgetOpened(key, podUID: "u2", deadline: later)
    #expect(try await isOpened("u1"))
    try await store.forgetOpened(key, podUID: "u1", deadline: later)
    #expect(try await !isOpened("u1"))

    // A release ends it too: the application is over.
    #expect(try await recordOpened(claim.token, "u1"))
    #expect(try await store.release(key, token: claim.token, podUID: "u1", deadline: later))
    #expect(try await !isOpened("u1"))
  }
}
