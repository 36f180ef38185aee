import Coordination

/// Locks in memory, by a script.
final class ScriptedStore: LockStore, Scripted {
  enum Operation: Hashable, Sendable {
    case acquire, extend, recordOpened, forgetOpened, release, giveBack, inspect, keys, check, run
  }

  let memory: MemoryLockStore
  let script = CallScript<Operation>()

  init(time: any MonotonicTime) { memory = MemoryLockStore(time: time) }

  static let unavailable = StoreError(
    .noQuorum, key: NamespacedKey(namespace: "demo", key: "k"), quorum: 2, members: 3,
    failures: [
      .init(member: "redis-1:6379", reason: "connection refused"),
      .init(member: "redis-2:6379", reason: "no answer within 500ms"),
    ])

  func acquire(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(StoreError) -> LockAcquisition {
    try await script.pass(.acquire)
    let result = try await memory.acquire(key, as: holder, ttl: ttl, deadline: deadline)
    try script.answer(.acquire)
    return result
  }

  func extend(
    _ key: NamespacedKey, _ lease: LockLease.Known, as holder: Holder, ttl: Duration,
    deadline: Duration
  ) async throws(StoreError) -> LockExtension {
    try script.enter(.extend)
    let result = try await memory.extend(key, lease, as: holder, ttl: ttl, deadline: deadline)
    try script.answer(.extend)
    return result
  }

  func recordOpened(
    _ key: NamespacedKey, token: Token, podUID: String, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try script.enter(.recordOpened)
    return try await memory.recordOpened(key, token: token, podUID: podUID, deadline: deadline)
  }

  func forgetOpened(
    _ key: NamespacedKey, podUID: String, deadline: Duration
  ) async throws(StoreError) {
    try script.enter(.forgetOpened)
    try await memory.forgetOpened(key, podUID: podUID, deadline: deadline)
  }

  func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try script.enter(.release)
    return try await memory.release(key, token: token, podUID: podUID, deadline: deadline)
  }

  func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    try? script.enter(.giveBack)
    memory.giveBack(key, token: token, podUID: podUID)
  }

  func inspect(
    _ key: NamespacedKey, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> LockSnapshot {
    try script.enter(.inspect)
    return try await memory.inspect(key, podUID: podUID, deadline: deadline)
  }

  func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    try script.enter(.keys)
    return try await memory.keys(deadline: deadline)
  }

  func check(deadline: Duration) async throws(StoreError) { try script.enter(.check) }
  func findings(deadline: Duration) async -> [String] { [] }
  func run() async throws {
    try script.enter(.run)
    try await memory.run()
  }

  // MARK: - Looking past the script

  func owner(_ key: NamespacedKey) async throws -> LockOwnership? {
    try await memory.inspect(key, podUID: nil, deadline: .zero).owner
  }

  func isOpened(_ key: NamespacedKey, _ podUID: String) async throws -> Bool {
    try await memory.inspect(key, podUID: podUID, deadline: .zero).isOpened
  }
}
