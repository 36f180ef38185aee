import ServiceLifecycle
import Synchronization

/// Locks in this process's memory, by the same rules as the distributed ones: for tests, and for
/// trying the webhook without a store.
package final class MemoryLockStore: LockStore {
  private struct Entry {
    var record: LockRecord
    var fencingToken: UInt64
    var expiresAt: Duration
  }

  private struct State {
    var entries: [NamespacedKey: Entry] = [:]
    var counters: [NamespacedKey: UInt64] = [:]
    var opened: [NamespacedKey: Set<String>] = [:]

    func live(_ key: NamespacedKey, at now: Duration) -> Entry? {
      entries[key].flatMap { $0.expiresAt > now ? $0 : nil }
    }

    /// The entry, if it is this token's and bound to this Pod or not bound.
    func entry(
      _ key: NamespacedKey, token: Token, podUID: String?, at now: Duration
    ) -> Entry? {
      guard let entry = live(key, at: now), entry.record.token == token else { return nil }
      let bound = entry.record.holder?.podUID
      return bound == nil || bound == podUID ? entry : nil
    }
  }

  private let time: any MonotonicTime
  private let state = Mutex(State())

  package init(time: any MonotonicTime = SystemTime()) { self.time = time }

  package func acquire(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(StoreError) -> LockAcquisition {
    let now = time.now
    return state.withLock { state in
      if let entry = state.live(key, at: now) { return .taken(ownership(entry, at: now)) }
      let token = Token.random()
      let fencingToken = (state.counters[key] ?? 0) + 1
      state.counters[key] = fencingToken
      state.entries[key] = Entry(
        record: LockRecord(token: token, holder: holder), fencingToken: fencingToken,
        expiresAt: now + ttl)
      return .granted(
        LockLease(token: token, fencingToken: fencingToken, validUntil: now + ttl))
    }
  }

  package func extend(
    _ key: NamespacedKey, _ lease: LockLease.Known, as holder: Holder, ttl: Duration,
    deadline: Duration
  ) async throws(StoreError) -> LockExtension {
    let now = time.now
    return state.withLock { state in
      guard var entry = state.entry(key, token: lease.token, podUID: holder.podUID, at: now)
      else { return .notHeld(state.live(key, at: now).map { ownership($0, at: now) }) }
      entry.record = LockRecord(token: lease.token, holder: holder)
      entry.expiresAt = now + ttl
      state.entries[key] = entry
      return .extended(
        LockLease(
          token: lease.token, fencingToken: entry.fencingToken, validUntil: now + ttl))
    }
  }

  package func recordOpened(
    _ key: NamespacedKey, token: Token, podUID: String, deadline: Duration
  ) async throws(StoreError) -> Bool {
    let now = time.now
    return state.withLock { state in
      guard let entry = state.entry(key, token: token, podUID: podUID, at: now),
        entry.record.holder?.podUID == podUID
      else { return false }
      state.opened[key, default: []].insert(podUID)
      return true
    }
  }

  package func forgetOpened(
    _ key: NamespacedKey, podUID: String, deadline: Duration
  ) async throws(StoreError) {
    state.withLock { _ = $0.opened[key]?.remove(podUID) }
  }

  package func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    releaseNow(key, token: token, podUID: podUID)
  }

  package func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    _ = releaseNow(key, token: token, podUID: podUID)
  }

  package func inspect(
    _ key: NamespacedKey, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> LockSnapshot {
    let now = time.now
    return state.withLock { state in
      LockSnapshot(
        owner: state.live(key, at: now).map { ownership($0, at: now) },
        fencingToken: state.counters[key] ?? 0,
        isOpened: podUID.map { state.opened[key]?.contains($0) ?? false } ?? false)
    }
  }

  package func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    let now = time.now
    return state.withLock { state in
      state.entries.filter { $0.value.expiresAt > now }.keys
        .sorted { $0.description < $1.description }
    }
  }

  package func check(deadline: Duration) async throws(StoreError) {}
  package func findings(deadline: Duration) async -> [String] { [] }
  package func run() async throws { try await gracefulShutdown() }

  private func releaseNow(_ key: NamespacedKey, token: Token, podUID: String?) -> Bool {
    let now = time.now
    return state.withLock { state in
      guard state.entry(key, token: token, podUID: podUID, at: now) != nil else { return false }
      state.entries[key] = nil
      if let podUID { state.opened[key]?.remove(podUID) }
      return true
    }
  }

  private func ownership(_ entry: Entry, at now: Duration) -> LockOwnership {
    LockOwnership(record: entry.record, timeLeft: entry.expiresAt - now)
  }
}
