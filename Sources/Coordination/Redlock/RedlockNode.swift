import RESP
import RedisClient

/// One of the independent Redis servers, in the words of locks.
struct RedlockNode: Sendable {
  /// What one server says of a lock.
  enum Verdict: Sendable {
    /// The lock is ours there; the server's fencing counter.
    case ours(counter: UInt64)
    case free
    case others(LockOwnership)
  }

  struct Observation: Sendable {
    let owner: LockOwnership?
    let counter: UInt64
    let isOpened: Bool
  }

  let server: RedisNode

  init(client: RedisClient) { server = RedisNode(client: client) }

  var name: String { server.name }

  func acquire(
    _ keys: RedlockKeys, record: LockRecord, ttl: Duration, timeout: Duration
  ) async throws(RedisError) -> Verdict {
    verdict(
      try await run(
        RedlockScripts.acquire, [keys.lock, keys.fence],
        [record.text, milliseconds(ttl), milliseconds(ttl + RedlockKeys.retention)], timeout))
  }

  func extend(
    _ keys: RedlockKeys, record: LockRecord, podUID: String, fencingToken: UInt64?, isOpened: Bool,
    ttl: Duration, timeout: Duration
  ) async throws(RedisError) -> Verdict {
    verdict(
      try await run(
        RedlockScripts.extend, [keys.lock, keys.fence, keys.opened(by: podUID)],
        [
          record.token.text, podUID, record.text, milliseconds(ttl),
          milliseconds(ttl + RedlockKeys.retention), String(fencingToken ?? 0),
          isOpened ? record.token.text : "",
        ], timeout))
  }

  /// - Returns: the counter afterwards; nil if the lock is not ours there.
  func raise(
    _ keys: RedlockKeys, token: Token, to counter: UInt64, ttl: Duration, timeout: Duration
  ) async throws(RedisError) -> UInt64? {
    let reply = try await run(
      RedlockScripts.raise, [keys.lock, keys.fence],
      [token.text, String(counter), milliseconds(ttl + RedlockKeys.retention)], timeout)
    return reply.integer.flatMap { UInt64(exactly: $0) }
  }

  /// - Parameter stale: the token that may be replaced; nil: none.
  /// - Returns: whether the lock is there now.
  func restore(
    _ keys: RedlockKeys, record: LockRecord, podUID: String, counter: UInt64, isOpened: Bool,
    replacing stale: Token?, ttl: Duration, timeout: Duration
  ) async throws(RedisError) -> Bool {
    let reply = try await run(
      RedlockScripts.restore, [keys.lock, keys.fence, keys.opened(by: podUID)],
      [
        record.text, milliseconds(ttl), String(counter),
        milliseconds(ttl + RedlockKeys.retention), isOpened ? record.token.text : "",
        stale?.text ?? "",
      ], timeout)
    return reply.integer == 1
  }

  func recordOpened(
    _ keys: RedlockKeys, token: Token, podUID: String, timeout: Duration
  ) async throws(RedisError) -> Bool {
    let reply = try await run(
      RedlockScripts.recordOpened, [keys.lock, keys.opened(by: podUID)],
      [token.text, podUID, milliseconds(RedlockKeys.retention)], timeout)
    return reply.integer == 1
  }

  func forgetOpened(
    _ keys: RedlockKeys, podUID: String, timeout: Duration
  ) async throws(RedisError) {
    _ = try await server.send(RESPCommand("DEL", .string(keys.opened(by: podUID))), timeout)
  }

  func release(
    _ keys: RedlockKeys, token: Token, podUID: String?, timeout: Duration
  ) async throws(RedisError) -> Bool {
    let reply = try await run(
      RedlockScripts.release, [keys.lock, keys.opened(by: podUID ?? "")],
      [token.text, podUID ?? ""], timeout)
    return reply.integer == 1
  }

  func inspect(
    _ keys: RedlockKeys, podUID: String?, timeout: Duration
  ) async throws(RedisError) -> Observation {
    let reply = try await run(
      RedlockScripts.inspect, [keys.lock, keys.fence, keys.opened(by: podUID ?? "")], [], timeout)
    let parts = reply.array ?? []
    guard parts.count == 4 else { return Observation(owner: nil, counter: 0, isOpened: false) }
    return Observation(
      owner: parts[1].integer == -2 ? nil : ownership(parts[0].string ?? "", parts[1]),
      counter: parts[2].integer.flatMap { UInt64(exactly: $0) } ?? 0,
      isOpened: !(parts[3].string ?? "").isEmpty)
  }

  func ping(timeout: Duration) async throws(RedisError) { try await server.ping(timeout: timeout) }

  private func run(
    _ script: RedisScript, _ keys: [String], _ arguments: [String], _ timeout: Duration
  ) async throws(RedisError) -> RESPValue {
    try await server.run(script, keys, arguments, timeout)
  }

  private func verdict(_ reply: RESPValue) -> Verdict {
    let parts = reply.array ?? []
    if parts.first?.integer == 1, parts.count == 2, let counter = parts[1].integer {
      return .ours(counter: UInt64(clamping: counter))
    }
    guard parts.count == 3, let value = parts[1].string else { return .free }
    return .others(ownership(value, parts[2]))
  }

  private func ownership(_ value: String, _ ttl: RESPValue) -> LockOwnership {
    let milliseconds = ttl.integer ?? -1
    return LockOwnership(
      record: LockRecord(parsing: value),
      timeLeft: milliseconds < 0 ? nil : .milliseconds(milliseconds))
  }
}

/// Rounded up, so that a lock never lives shorter on the server than its holder asked for.
private func milliseconds(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  return String(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
}
