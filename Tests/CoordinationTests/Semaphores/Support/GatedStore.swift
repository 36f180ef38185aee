import Coordination
import LocalServers

/// A store in memory that settles only while its gate is open, and notes what it was asked.
final class GatedStore: SemaphoreStore {
  struct State: Sendable {
    var isOpen = true
    /// Every length that was settled for, when it was asked.
    var asked: [Int] = []
    /// What the next settlings fail with.
    var failures: [StoreError] = []
  }

  let state = Observed(State())
  let memory = MemorySemaphoreStore(time: time)

  var staleAfter: Duration { memory.staleAfter }

  func settle(
    _ key: NamespacedKey, length: Int, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    state.update { $0.asked.append(length) }
    do {
      try await state.first { $0.isOpen ? () : nil }
    } catch {
      throw StoreError(.cancelled, key: key, quorum: 1, members: 1)
    }
    let failure = state.update { $0.failures.isEmpty ? nil : $0.failures.removeFirst() }
    if let failure { throw failure }
    return try await memory.settle(key, length: length, deadline: deadline)
  }

  func pop(
    _ key: NamespacedKey, length: Int, as holder: Holder, lifetime: Duration, deadline: Duration
  ) async throws(StoreError) -> Token? {
    try await memory.pop(key, length: length, as: holder, lifetime: lifetime, deadline: deadline)
  }

  func heartbeat(
    _ key: NamespacedKey, token: Token, as holder: Holder, deadline: Duration
  ) async throws(StoreError) -> Heartbeat {
    try await memory.heartbeat(key, token: token, as: holder, deadline: deadline)
  }

  func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try await memory.release(key, token: token, podUID: podUID, deadline: deadline)
  }

  func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    memory.giveBack(key, token: token, podUID: podUID)
  }

  func counts(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    try await memory.counts(key, deadline: deadline)
  }

  func permit(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws(StoreError) -> Permit? {
    try await memory.permit(key, token: token, deadline: deadline)
  }

  func permits(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> [Permit] {
    try await memory.permits(key, deadline: deadline)
  }

  func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    try await memory.keys(deadline: deadline)
  }

  func check(deadline: Duration) async throws(StoreError) {}
  func findings(deadline: Duration) async -> [String] { [] }
  func run() async throws { try await memory.run() }
}
