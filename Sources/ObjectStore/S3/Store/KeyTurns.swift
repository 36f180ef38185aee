import Synchronization

/// Who may change what, among the writes of this process: conditional writes of a key come one after
/// the other, since all but the first of those that race would only learn that they lost; and a key
/// is swept while no write of it is on its way.
///
/// Other processes do not count here: what holds among all is S3's to keep.
final class KeyTurns: Sendable {
  enum Use: Sendable {
    case write, conditionalWrite
  }

  fileprivate struct Turn {
    var writes = 0
    var isConditional = false
    var isSwept = false
    var waiting: [(use: Use, wait: TimedWait)] = []
  }

  private static let maximumWaiting = 1024
  private let limit: Duration
  private let turns = Mutex<[ObjectKey: Turn]>([:])

  /// - Parameter limit: how long a write waits for others of its key.
  init(limit: Duration) { self.limit = limit }

  /// - Throws: `busy`, `cancelled`, and what `body` throws.
  func withTurn<Value>(
    _ key: ObjectKey, _ use: Use, _ body: () async throws(ObjectStoreError) -> Value
  ) async throws(ObjectStoreError) -> Value {
    try await enter(key, use)
    defer { leave(key) { $0.leave(use) } }
    return try await body()
  }

  /// Runs `body` if nobody writes the key; writes that come wait.
  func sweeping(_ key: ObjectKey, _ body: () async -> Bool) async -> Bool {
    let isFree = turns.withLock { turns in
      guard turns[key] == nil else { return false }
      turns[key] = Turn(isSwept: true)
      return true
    }
    guard isFree else { return false }
    defer { leave(key) { $0.isSwept = false } }
    return await body()
  }

  private func enter(_ key: ObjectKey, _ use: Use) async throws(ObjectStoreError) {
    let wait = TimedWait()
    let isIn = turns.withLock { turns -> Bool? in
      var turn = turns[key] ?? Turn()
      defer { turns[key] = turn }
      if turn.enter(use) { return true }
      guard turn.waiting.count < Self.maximumWaiting else { return nil }
      turn.waiting.append((use, wait))
      return false
    }
    let busy = ObjectStoreError(.busy, "too many write the same key at once")
    guard let isIn else { throw busy }
    if isIn { return }
    let end = await wait.value(within: limit)
    if end == .granted { return }
    leave(key) { $0.waiting.removeAll { $0.wait === wait } }
    throw end == .cancelled ? .givenUp : busy
  }

  private func leave(_ key: ObjectKey, _ change: (inout sending Turn) -> Void) {
    turns.withLock { turns in
      guard var turn = turns[key] else { return }
      change(&turn)
      turn.admit()
      turns[key] = turn.isFree ? nil : turn
    }
  }
}

extension KeyTurns.Turn {
  fileprivate var isFree: Bool { writes == 0 && !isConditional && !isSwept && waiting.isEmpty }

  fileprivate mutating func enter(_ use: KeyTurns.Use) -> Bool {
    if isSwept { return false }
    switch use {
    case .write: writes += 1
    case .conditionalWrite:
      if isConditional { return false }
      isConditional = true
    }
    return true
  }

  fileprivate mutating func leave(_ use: KeyTurns.Use) {
    switch use {
    case .write: writes -= 1
    case .conditionalWrite: isConditional = false
    }
  }

  /// Lets in who may, in the order of coming.
  fileprivate mutating func admit() {
    var index = 0
    while index < waiting.count {
      let waiter = waiting[index]
      guard enter(waiter.use) else {
        index += 1
        continue
      }
      // One that was given up, or is late, just now leaves again.
      if !waiter.wait.end(.granted) { leave(waiter.use) }
      waiting.remove(at: index)
    }
  }
}
