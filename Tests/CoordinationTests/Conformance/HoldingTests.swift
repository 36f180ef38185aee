import Coordination
import Testing

@Suite(.sharedServers) struct HoldingTests {
  @Test(arguments: StoreKind.allCases)
  func aFreeLockIsGrantedAndThenTaken(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "granted")
    let before = time.now
    let lease = try await store.take(key, as: .pod("a", uid: "u1"), ttl: .seconds(300))
    #expect(kind.countsFencingTokens ? lease.fencingToken == 1 : lease.fencingToken > 0)
    #expect(lease.validUntil > before + .seconds(290))
    #expect(lease.validUntil <= time.now + .seconds(300))

    let second = try await store.acquire(
      key, as: .pod("b"), ttl: .seconds(300), deadline: later)
    let owner = try #require(second.owner)
    #expect(owner.record == LockRecord(token: lease.token, holder: .pod("a", uid: "u1")))
    let timeLeft = try #require(owner.timeLeft)
    #expect(timeLeft > .zero && timeLeft <= .seconds(300))
  }

  @Test(arguments: StoreKind.allCases)
  func theFirstSidecarWithTheTokenBindsAClaim(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "bound")
    let claim = try await store.take(key, as: .pod("a"))
    // Told only the token, the sidecar learns the fencing token.
    let bound = try await store.extend(key, claim.token, as: .pod("a", uid: "u1")).lease
    #expect(bound?.token == claim.token)
    #expect(bound?.fencingToken == claim.fencingToken)

    let copy = try await store.extend(key, claim.token, as: .pod("copy", uid: "u2"))
    #expect(copy.owner?.record.holder == .pod("a", uid: "u1"))
    let nobody = try await store.extend(key, claim.token, as: .pod("nobody"))
    #expect(nobody.owner?.record.holder == .pod("a", uid: "u1"))
    let again = try await store.extend(key, claim.token, as: .pod("a", uid: "u1"))
    #expect(again.lease?.fencingToken == claim.fencingToken)
  }

  @Test(arguments: StoreKind.allCases)
  func aLockTakenWithAUIDIsBoundAtOnce(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "bound-at-once")
    let lease = try await store.take(key, as: .pod("a", uid: "u1"))
    #expect(try await store.extend(key, lease.token, as: .pod("b", uid: "u2")).isNotHeld)
    #expect(try await !store.release(key, token: lease.token, podUID: nil, deadline: later))
    #expect(try await store.isHeld(key, by: lease.token))
  }

  @Test(arguments: StoreKind.allCases)
  func anExtensionLastsLongerAndKeepsTheFencingToken(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "extended")
    let lease = try await store.take(key, as: .pod("a", uid: "u1"), ttl: .seconds(100))
    let next = try await store.extend(
      key, lease.token, as: .pod("a", uid: "u1"), knowing: lease.fencingToken, ttl: .seconds(500))
    #expect(next.lease?.fencingToken == lease.fencingToken)
    #expect(try #require(next.lease).validUntil > lease.validUntil + .seconds(300))
    let owner = try await store.inspect(key, podUID: nil, deadline: later).owner
    #expect(try #require(owner?.timeLeft) > .seconds(300))
  }

  @Test(arguments: StoreKind.allCases)
  func onlyItsTokenExtendsALock(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "other-token")
    let free = try await store.extend(key, .random(), as: .pod("a", uid: "u1"))
    #expect(free.isNotHeld && free.owner == nil)
    // Nothing came of it.
    let lease = try await store.take(key, as: .pod("a", uid: "u1"))
    let other = try await store.extend(key, .random(), as: .pod("a", uid: "u1"))
    #expect(other.owner?.record.token == lease.token)
    #expect(try await store.isHeld(key, by: lease.token))
  }

  @Test(arguments: StoreKind.allCases)
  func aLockFreesItselfNotBeforeItsLeaseIsOver(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "expires")
    let first = try await store.take(key, as: .pod("a", uid: "u1"), ttl: .seconds(2))
    #expect(
      try await store.recordOpened(key, token: first.token, podUID: "u1", deadline: later))
    var second: LockLease?
    while second == nil {
      let acquisition = try await store.acquire(
        key, as: .pod("b", uid: "u2"), ttl: .seconds(300), deadline: later)
      if let lease = acquisition.lease {
        #expect(time.now >= first.validUntil)
        second = lease
      } else {
        try await Task.sleep(for: .milliseconds(10))
      }
    }
    // Attempts while the servers forgot the lock one by one count too.
    #expect(try #require(second).fencingToken > first.fencingToken)
    // Too late for all that the first could do; and that its application ran is still known.
    let late = try await store.extend(key, first.token, as: .pod("a", uid: "u1"))
    #expect(late.owner?.record.holder?.pod == "b")
    #expect(
      try await !store.recordOpened(key, token: first.token, podUID: "u1", deadline: later))
    #expect(try await store.inspect(key, podUID: "u1", deadline: later).isOpened)
    // One server may still have what is left of the first; the second is not touched.
    _ = try await store.release(key, token: first.token, podUID: "u1", deadline: later)
    #expect(try await store.isHeld(key, by: #require(second).token))
  }
}
