import ServiceLifecycle

/// A lock store that connects when it is first needed: for sidecars, of which there are thousands and
/// of which few ever take a lock.
package final class OnDemandLockStore: LockStore {
  private let store: any LockStore
  private let wake: AsyncStream<Void>
  private let waker: AsyncStream<Void>.Continuation

  package init(_ store: any LockStore) {
    self.store = store
    (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// The store, which runs from now on.
  private var awake: any LockStore {
    waker.yield()
    return store
  }

  package func run() async throws {
    let isNeeded = await cancelWhenGracefulShutdown { [wake] in
      for await _ in wake { return true }
      return false
    }
    if isNeeded { try await store.run() }
  }

  package func acquire(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(StoreError) -> LockAcquisition {
    try await awake.acquire(key, as: holder, ttl: ttl, deadline: deadline)
  }

  package func extend(
    _ key: NamespacedKey, _ lease: LockLease.Known, as holder: Holder, ttl: Duration,
    deadline: Duration
  ) async throws(StoreError) -> LockExtension {
    try await awake.extend(key, lease, as: holder, ttl: ttl, deadline: deadline)
  }

  package func recordOpened(
    _ key: NamespacedKey, token: Token, podUID: String, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try await awake.recordOpened(key, token: token, podUID: podUID, deadline: deadline)
  }

  package func forgetOpened(
    _ key: NamespacedKey, podUID: String, deadline: Duration
  ) async throws(StoreError) {
    try await awake.forgetOpened(key, podUID: podUID, deadline: deadline)
  }

  package func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try await awake.release(key, token: token, podUID: podUID, deadline: deadline)
  }

  package func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    awake.giveBack(key, token: token, podUID: podUID)
  }

  package func inspect(
    _ key: NamespacedKey, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> LockSnapshot {
    try await awake.inspect(key, podUID: podUID, deadline: deadline)
  }

  package func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    try await awake.keys(deadline: deadline)
  }

  package func check(deadline: Duration) async throws(StoreError) {
    try await awake.check(deadline: deadline)
  }

  package func findings(deadline: Duration) async -> [String] {
    await awake.findings(deadline: deadline)
  }
}
