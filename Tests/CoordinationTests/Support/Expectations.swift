import Coordination
import LocalServers
import Testing

/// Waits for what gives no event, by looking again and again; at most a minute.
func eventually(
  _ expectation: String, _ condition: @escaping @Sendable () async throws -> Bool
) async throws {
  try await withDeadline(.seconds(60), expectation) {
    while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
  }
}

/// The clock of the stores under test.
let time = SystemTime()

/// A deadline that only a hang reaches.
var later: Duration { time.now + .seconds(60) }

extension Holder {
  static func pod(_ name: String, uid: String? = nil) -> Holder {
    Holder(pod: name, podUID: uid, node: "node-1", owner: "Job/\(name)", since: 1_700_000_000)
  }
}

extension LockAcquisition {
  var lease: LockLease? { if case .granted(let lease) = self { lease } else { nil } }
  var owner: LockOwnership? { if case .taken(let owner) = self { owner } else { nil } }
}

extension LockExtension {
  var lease: LockLease? { if case .extended(let lease) = self { lease } else { nil } }
  var isNotHeld: Bool { if case .notHeld = self { true } else { false } }
  var owner: LockOwnership? { if case .notHeld(let owner) = self { owner } else { nil } }
}

extension LockStore {
  /// Takes a lock that has to be free.
  func take(
    _ key: NamespacedKey, as holder: Holder = .pod("first"), ttl: Duration = .seconds(300),
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> LockLease {
    let acquisition = try await acquire(key, as: holder, ttl: ttl, deadline: later)
    return try #require(acquisition.lease, sourceLocation: sourceLocation)
  }

  func extend(
    _ key: NamespacedKey, _ token: Token, as holder: Holder, knowing fencingToken: UInt64? = nil,
    isOpened: Bool = false, ttl: Duration = .seconds(300)
  ) async throws -> LockExtension {
    try await extend(
      key, .init(token: token, fencingToken: fencingToken, isOpened: isOpened), as: holder,
      ttl: ttl, deadline: later)
  }

  func isHeld(_ key: NamespacedKey, by token: Token) async throws -> Bool {
    try await inspect(key, podUID: nil, deadline: later).owner?.record.token == token
  }

  func isFree(_ key: NamespacedKey) async throws -> Bool {
    try await inspect(key, podUID: nil, deadline: later).owner == nil
  }
}

/// Runs something that has to fail with the error of stores.
func storeError(
  _ body: () async throws -> some Any, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> StoreError {
  try #require(
    await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
      _ = try await body()
    })
}
