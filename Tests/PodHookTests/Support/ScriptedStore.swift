import Coordination
import Synchronization

/// A memory store whose operations can be made to fail, and that remembers what was asked of it.
final class ScriptedStore: LockStore {
  enum Operation: Hashable, Sendable {
    case acquire, extend, recordOpened, forgetOpened, release, giveBack, inspect, keys, check
  }

  private struct State {
    var failing: Set<Operation> = []
    /// What is done without the caller hearing of it.
    var unheard: Set<Operation> = []
    var calls: [Operation] = []
    var watchers: [(operation: Operation, resume: CheckedContinuation<Void, Never>)] = []
    var hook: (@Sendable (Operation) -> Void)?
  }

  let memory: MemoryLockStore
  private let state = Mutex(State())

  init(time: any MonotonicTime) { memory = MemoryLockStore(time: time) }

  static let unavailable = StoreError(
    .noQuorum, key: NamespacedKey(namespace: "demo", key: "k"), quorum: 2, members: 3,
    failures: [
      .init(member: "redis-1:6379", reason: "connection refused"),
      .init(member: "redis-2:6379", reason: "no answer within 500ms"),
    ])

  /// What was asked so far, in order.
  var calls: [Operation] { state.withLock { $0.calls } }

  func fail(_ operations: Operation...) {
    state.withLock { $0.failing.formUnion(operations) }
  }

  /// Lets operations take effect, but loses the answers.
  func loseAnswers(to operations: Operation...) {
    state.withLock { $0.unheard.formUnion(operations) }
  }

  func recover() {
    state.withLock {
      $0.failing = []
      $0.unheard = []
    }
  }

  /// Runs in front of every operation, also those that fail.
  func before(_ hook: @escaping @Sendable (Operation) -> Void) {
    state.withLock { $0.hook = hook }
  }

  /// Waits until the operation has been asked for.
  func called(_ operation: Operation) async {
    await withCheckedContinuation { continuation in
      let isCalled = state.withLock { state in
        if state.calls.contains(operation) { return true }
        state.watchers.append((operation, continuation))
        return false
      }
      if isCalled { continuation.resume() }
    }
  }

  private func enter(_ operation: Operation) throws(StoreError) {
    let (isFailing, hook, watchers) = state.withLock { state in
      state.calls.append(operation)
      let watchers = state.watchers.filter { $0.operation == operation }.map(\.resume)
      state.watchers.removeAll { $0.operation == operation }
      return (state.failing.contains(operation), state.hook, watchers)
    }
    for watcher in watchers { watcher.resume() }
    hook?(operation)
    if isFailing { throw Self.unavailable }
  }

  func acquire(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(StoreError) -> LockAcquisition {
    try enter(.acquire)
    let result = try await memory.acquire(key, as: holder, ttl: ttl, deadline: deadline)
    if state.withLock({ $0.unheard.contains(.acquire) }) { throw Self.unavailable }
    return result
  }

  func extend(
    _ key: NamespacedKey, _ lease: LockLease.Known, as holder: Holder, ttl: Duration,
    deadline: Duration
  ) async throws(StoreError) -> LockExtension {
    try enter(.extend)
    let result = try await memory.extend(key, lease, as: holder, ttl: ttl, deadline: deadline)
    if state.withLock({ $0.unheard.contains(.extend) }) { throw Self.unavailable }
    return result
  }

  func recordOpened(
    _ key: NamespacedKey, token: Token, podUID: String, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try enter(.recordOpened)
    return try await memory.recordOpened(key, token: token, podUID: podUID, deadline: deadline)
  }

  func forgetOpened(
    _ key: NamespacedKey, podUID: String, deadline: Duration
  ) async throws(StoreError) {
    try enter(.forgetOpened)
    try await memory.forgetOpened(key, podUID: podUID, deadline: deadline)
  }

  func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try enter(.release)
    return try await memory.release(key, token: token, podUID: podUID, deadline: deadline)
  }

  func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    try? enter(.giveBack)
    memory.giveBack(key, token: token, podUID: podUID)
  }

  func inspect(
    _ key: NamespacedKey, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> LockSnapshot {
    try enter(.inspect)
    return try await memory.inspect(key, podUID: podUID, deadline: deadline)
  }

  func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    try enter(.keys)
    return try await memory.keys(deadline: deadline)
  }

  func check(deadline: Duration) async throws(StoreError) { try enter(.check) }
  func findings(deadline: Duration) async -> [String] { [] }
  func run() async throws { try await memory.run() }

  // MARK: - Looking past the script

  func owner(_ key: NamespacedKey) async throws -> LockOwnership? {
    try await memory.inspect(key, podUID: nil, deadline: .zero).owner
  }

  func isOpened(_ key: NamespacedKey, _ podUID: String) async throws -> Bool {
    try await memory.inspect(key, podUID: podUID, deadline: .zero).isOpened
  }
}
