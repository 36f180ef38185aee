import Coordination
import Testing

@Suite(.sharedServers) struct LookingTests {
  /// Keys that mean something to shells, patterns, paths or text.
  static let oddKeys = [
    "*", "a*", "[ab]", "?", "\\", "\\*", "^", "a b", " ", "a/b", "a/", "/a", "//", "é", "e\u{301}",
    "\u{301}x", "鍵", "🔑", "\"", "'", "{a}", "a\nb", "a\r\nb", "\u{0}", "-", "_fence", "$", "%2F",
    String(repeating: "k", count: 5000),
  ]

  @Test(arguments: StoreKind.allCases)
  func keysWithOddCharactersAreKeysLikeOthers(kind: StoreKind) async throws {
    let store = try store(kind)
    let keys = Self.oddKeys.map { NamespacedKey(namespace: "odd", key: $0) }
    var leases: [NamespacedKey: LockLease] = [:]
    // All at once: none may meet another.
    for key in keys { leases[key] = try await store.take(key, as: .pod(key.key)) }
    #expect(leases.count == keys.count)
    let listed = try await store.keys(deadline: later).filter { $0.namespace == "odd" }
    #expect(Set(listed) == Set(keys))
    #expect(listed.count == keys.count)
    for key in keys {
      let owner = try await store.acquire(key, as: .pod("b"), ttl: .seconds(9), deadline: later)
        .owner
      #expect(owner?.record.token == leases[key]?.token)
      #expect(owner?.record.holder?.pod == key.key)
      let token = try #require(leases[key]?.token)
      #expect(try await store.release(key, token: token, podUID: nil, deadline: later))
      #expect(try await store.isFree(key))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aLockThatNeverWasIsFree(kind: StoreKind) async throws {
    let snapshot = try await store(kind).inspect(
      NamespacedKey(namespace: "team", key: "never"), podUID: "u1", deadline: later)
    #expect(snapshot.owner == nil)
    #expect(snapshot.fencingToken == 0)
    #expect(!snapshot.isOpened)
  }

  @Test(arguments: StoreKind.allCases)
  func lookingShowsTheHolderAndChangesNothing(kind: StoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "looked-at")
    let holder = Holder(
      pod: "web-\u{1F511}-\"x\"", isGeneratedName: true, podUID: "u1", node: "n 1",
      owner: "ReplicaSet/web-5d", since: 1_700_000_123)
    let lease = try await store.take(key, as: holder)
    for _ in 0..<3 {
      let snapshot = try await store.inspect(key, podUID: "u1", deadline: later)
      #expect(snapshot.owner?.record == LockRecord(token: lease.token, holder: holder))
      #expect(snapshot.fencingToken == lease.fencingToken)
      #expect(!snapshot.isOpened)
    }
    #expect(try await store.keys(deadline: later).contains(key))
    #expect(try await store.release(key, token: lease.token, podUID: "u1", deadline: later))
    let after = try await store.inspect(key, podUID: "u1", deadline: later)
    #expect(after.owner == nil)
    #expect(after.fencingToken == (kind.countsFencingTokens ? lease.fencingToken : 0))
    #expect(try await !store.keys(deadline: later).contains(key))
  }

  @Test(arguments: StoreKind.allCases)
  func manyKeysAreListedInOrder(kind: StoreKind) async throws {
    let store = try store(kind)
    let keys = (1000..<1400).map { NamespacedKey(namespace: "listed", key: "\($0)") }
    for key in keys.shuffled() { _ = try await store.take(key) }
    #expect(try await store.keys(deadline: later).filter { $0.namespace == "listed" } == keys)
  }

  @Test(arguments: StoreKind.allCases)
  func aStoreThatWorksSaysSo(kind: StoreKind) async throws {
    try await store(kind).check(deadline: later)
  }
}
