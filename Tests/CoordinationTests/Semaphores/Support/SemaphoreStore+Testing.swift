import Coordination
import LocalServers
import Testing

extension SemaphoreStore {
  func settle(_ key: NamespacedKey, _ length: Int) async throws -> SemaphoreCounts {
    try await settle(key, length: length, deadline: later)
  }

  func pop(
    _ key: NamespacedKey, _ length: Int, as holder: Holder = .pod("a"), lifetime: Duration? = nil
  ) async throws -> Token? {
    try await pop(
      key, length: length, as: holder, lifetime: lifetime ?? staleAfter, deadline: later)
  }

  /// Takes a permit that has to be free.
  func permit(
    _ key: NamespacedKey, of length: Int, as holder: Holder = .pod("a"),
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Token {
    _ = try await settle(key, length)
    return try #require(try await pop(key, length, as: holder), sourceLocation: sourceLocation)
  }

  /// Takes a permit that a holder had whose time is over. etcd takes up to a second to notice.
  func permitSoon(
    _ key: NamespacedKey, of length: Int, as holder: Holder
  ) async throws -> Token {
    try await withDeadline(.seconds(60), "a permit is free") {
      while true {
        _ = try await settle(key, length)
        if let token = try await pop(key, length, as: holder) { return token }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  /// Settles until so many have been reclaimed: at once, or as soon as etcd notices.
  func settle(
    _ key: NamespacedKey, _ length: Int, untilReclaimed count: Int
  ) async throws -> SemaphoreCounts {
    try await withDeadline(.seconds(60), "\(count) are reclaimed") {
      while true {
        let counts = try await settle(key, length)
        if counts.reclaimed >= count { return counts }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  func heartbeat(_ key: NamespacedKey, _ token: Token, as holder: Holder) async throws -> Heartbeat
  {
    try await heartbeat(key, token: token, as: holder, deadline: later)
  }

  func release(_ key: NamespacedKey, _ token: Token, _ podUID: String? = nil) async throws -> Bool {
    try await release(key, token: token, podUID: podUID, deadline: later)
  }

  func counts(_ key: NamespacedKey) async throws -> SemaphoreCounts {
    try await counts(key, deadline: later)
  }

  func permits(_ key: NamespacedKey) async throws -> [Permit] {
    try await permits(key, deadline: later)
  }

  func isInFlight(_ key: NamespacedKey, _ token: Token) async throws -> Bool {
    try await permit(key, token: token, deadline: later) != nil
  }
}

extension SemaphoreCounts {
  /// What is checked most often.
  var numbers: [Int?] { [length, queue, inFlight] }
}

extension Heartbeat {
  var isLost: Bool { if case .lost = self { true } else { false } }
  var overLength: Duration? { if case .lost(let overLength) = self { overLength } else { nil } }
}

extension Semaphore.Take {
  var token: Token? { if case .granted(let token) = self { token } else { nil } }
  var counts: SemaphoreCounts? { if case .exhausted(let counts) = self { counts } else { nil } }
}
