import ServiceLifecycle
import Synchronization

/// Permits in this process's memory, by the same rules as the distributed ones: for tests, and for
/// trying the webhook without a store.
package final class MemorySemaphoreStore: SemaphoreStore {
  package let staleAfter: Duration
  private let time: any MonotonicTime
  private let state = Mutex<[NamespacedKey: MemorySemaphore]>([:])

  package init(staleAfter: Duration = .seconds(120), time: any MonotonicTime = SystemTime()) {
    self.staleAfter = staleAfter
    self.time = time
  }

  package func settle(
    _ key: NamespacedKey, length: Int, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    let now = time.now
    return change(key) { semaphore in
      semaphore.settle(length: length, staleAfter: staleAfter, now: now)
      return semaphore.counts(staleAfter: staleAfter, now: now)
    }
  }

  package func pop(
    _ key: NamespacedKey, length: Int, as holder: Holder, lifetime: Duration, deadline: Duration
  ) async throws(StoreError) -> Token? {
    let now = time.now
    let lastHeartbeat = now - max(.zero, staleAfter - lifetime)
    return change(key) {
      $0.pop(length: length, as: holder, lastHeartbeat: lastHeartbeat, now: now)
    }
  }

  package func heartbeat(
    _ key: NamespacedKey, token: Token, as holder: Holder, deadline: Duration
  ) async throws(StoreError) -> Heartbeat {
    let now = time.now
    return change(key) { $0.heartbeat(token, as: holder, now: now) }
  }

  package func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    releaseNow(key, token: token, podUID: podUID)
  }

  package func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    _ = releaseNow(key, token: token, podUID: podUID)
  }

  package func counts(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    let now = time.now
    return look(key).counts(staleAfter: staleAfter, now: now)
  }

  package func permit(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws(StoreError) -> Permit? {
    look(key).permit(token, now: time.now)
  }

  package func permits(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> [Permit] {
    look(key).permits(now: time.now)
  }

  package func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    state.withLock { state in
      state.filter(\.value.isInUse).keys
        .sorted { $0.description < $1.description }
    }
  }

  package func check(deadline: Duration) async throws(StoreError) {}
  package func findings(deadline: Duration) async -> [String] { [] }
  package func run() async throws { try await gracefulShutdown() }

  private func releaseNow(_ key: NamespacedKey, token: Token, podUID: String?) -> Bool {
    let now = time.now
    return change(key) { $0.release(token, podUID: podUID, now: now) }
  }

  private func change<Result: Sendable>(
    _ key: NamespacedKey, _ body: (inout MemorySemaphore) -> Result
  ) -> Result {
    state.withLock { body(&$0[key, default: MemorySemaphore()]) }
  }

  private func look(_ key: NamespacedKey) -> MemorySemaphore {
    state.withLock { $0[key] } ?? MemorySemaphore()
  }
}
