import Coordination
import Synchronization

/// Permits in memory, by a script.
final class ScriptedQueue: SemaphoreStore, Scripted {
  enum Operation: Hashable, Sendable {
    case settle, pop, heartbeat, release, giveBack, counts, permit, permits, keys, check
  }

  let staleAfter: Duration
  private let time: any MonotonicTime
  private let present: Mutex<MemorySemaphoreStore>
  let script = CallScript<Operation>()

  init(staleAfter: Duration = .seconds(120), time: any MonotonicTime) {
    self.staleAfter = staleAfter
    self.time = time
    present = Mutex(MemorySemaphoreStore(staleAfter: staleAfter, time: time))
  }

  var memory: MemorySemaphoreStore { present.withLock { $0 } }

  /// As a store does with semaphores that nobody uses.
  func forgetAll() {
    present.withLock { $0 = MemorySemaphoreStore(staleAfter: staleAfter, time: time) }
  }

  func settle(
    _ key: NamespacedKey, length: Int, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    try await script.pass(.settle)
    return try await memory.settle(key, length: length, deadline: deadline)
  }

  func pop(
    _ key: NamespacedKey, length: Int, as holder: Holder, lifetime: Duration, deadline: Duration
  ) async throws(StoreError) -> Token? {
    try await script.pass(.pop)
    let token = try await memory.pop(
      key, length: length, as: holder, lifetime: lifetime, deadline: deadline)
    do throws(StoreError) {
      try script.answer(.pop)
    } catch {
      // As every store does with what a call that fails may have taken.
      if let token { memory.giveBack(key, token: token, podUID: holder.podUID) }
      throw error
    }
    return token
  }

  func heartbeat(
    _ key: NamespacedKey, token: Token, as holder: Holder, deadline: Duration
  ) async throws(StoreError) -> Heartbeat {
    try await script.pass(.heartbeat)
    let result = try await memory.heartbeat(key, token: token, as: holder, deadline: deadline)
    try script.answer(.heartbeat)
    return result
  }

  func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    try await script.pass(.release)
    let result = try await memory.release(key, token: token, podUID: podUID, deadline: deadline)
    try script.answer(.release)
    return result
  }

  func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    try? script.enter(.giveBack)
    memory.giveBack(key, token: token, podUID: podUID)
  }

  func counts(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    try script.enter(.counts)
    return try await memory.counts(key, deadline: deadline)
  }

  func permit(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws(StoreError) -> Permit? {
    try script.enter(.permit)
    return try await memory.permit(key, token: token, deadline: deadline)
  }

  func permits(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> [Permit] {
    try script.enter(.permits)
    return try await memory.permits(key, deadline: deadline)
  }

  func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    try script.enter(.keys)
    return try await memory.keys(deadline: deadline)
  }

  func check(deadline: Duration) async throws(StoreError) { try script.enter(.check) }
  func findings(deadline: Duration) async -> [String] { [] }
  func run() async throws { try await memory.run() }
}

// MARK: - Looking past the script, and acting for others

extension ScriptedQueue {
  func numbers(_ key: NamespacedKey = Admitting.key) async throws -> SemaphoreCounts {
    try await memory.counts(key, deadline: .zero)
  }

  /// What is in flight.
  func inFlight(_ key: NamespacedKey = Admitting.key) async throws -> [Permit] {
    try await memory.permits(key, deadline: .zero)
  }

  /// Settles the semaphore, as somebody else who asks for a permit.
  @discardableResult
  func settleNow(
    _ key: NamespacedKey = Admitting.key, length: Int
  ) async throws -> SemaphoreCounts {
    try await memory.settle(key, length: length, deadline: .zero)
  }

  /// Other Pods, `other-1` and so on, take all permits that are free.
  @discardableResult
  func occupy(_ key: NamespacedKey = Admitting.key, length: Int) async throws -> [Token] {
    try await settleNow(key, length: length)
    var tokens: [Token] = []
    while true {
      let number = tokens.count + 1
      let holder = Holder(
        pod: "other-\(number)", podUID: "other-uid-\(number)", node: "node-7",
        since: Admitting.today - 90)
      let token = try await memory.pop(
        key, length: length, as: holder, lifetime: staleAfter, deadline: .zero)
      guard let token else { return tokens }
      tokens.append(token)
    }
  }

  /// One of those Pods ends.
  func vacate(_ token: Token, of number: Int, _ key: NamespacedKey = Admitting.key) {
    memory.giveBack(key, token: token, podUID: "other-uid-\(number)")
  }
}
