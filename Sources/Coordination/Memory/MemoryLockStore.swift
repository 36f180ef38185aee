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
    var entries: [LockKey: Entry] = [:]
    var counters: [LockKey: UInt64] = [:]
    var opened: [LockKey: Set<String>] = [:]

    func live(_ key: LockKey, at now: Duration) -> Entry? {
      entries[key].flatMap { $0.expiresAt > now ? $0 : nil }
    }

    /// The entry, if it is this token's and bound to this Pod or not bound.
    func entry(
      _ key: LockKey, token: LockToken, podUID: String?, at now: Duration
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
    _ key: LockKey, as holder: LockHolder, ttl: Duration, deadline: Duration
  ) async throws(LockStoreError) -> LockAcquisition {
    let now = time.now
    return state.withLock { state in
      if let entry = state.live(key, at: now) { return .taken(ownership(entry, at: now)) }
      let token = LockToken.random()
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
    _ key: LockKey, _ lease: LockLease.Known, as holder: LockHolder, ttl: Duration,
    deadline: Duration
  ) async throws(LockStoreError) -> LockExtension {
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
    _ key: LockKey, token: LockToken, podUID: String, deadline: Duration
  ) async throws(LockStoreError) -> Bool {
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
    _ key: LockKey, podUID: String, deadline: Duration
  ) async throws(LockStoreError) {
    state.withLock { _ = $0.opened[key]?.remove(podUID) }
  }

  package func release(
    _ key: LockKey, token: LockToken, podUID: String?, deadline: Duration
  ) async throws(LockStoreError) -> Bool {
    releaseNow(key, token: token, podUID: podUID)
  }

  package func giveBack(_ key: LockKey, token: LockToken, podUID: String?) {
    _ = releaseNow(key, token: token, podUID: podUID)
  }

  package func inspect(
    _ key: LockKey, podUID: String?, deadline: Duration
  ) async throws(LockStoreError) -> LockSnapshot {
    let now = time.now
    return state.withLock { state in
      LockSnapshot(
        owner: state.live(key, at: now).map { ownership($0, at: now) },
        fencingToken: state.counters[key] ?? 0,
        isOpened: podUID.map { state.opened[key]?.contains($0) ?? false } ?? false)
    }
  }

  package func keys(deadline: Duration) async throws(LockStoreError) -> [LockKey] {
    let now = time.now
    return state.withLock { state in
      state.entries.filter { $0.value.expiresAt > now }.keys
        .sorted { $0.description < $1.description }
    }
  }

  package func check(deadline: Duration) async throws(LockStoreError) {}
  package func findings(deadline: Duration) async -> [String] { [] }
  package func run() async throws { try await gracefulShutdown() }

  private func releaseNow(_ key: LockKey, token: LockToken, podUID: String?) -> Bool {
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
