import Coordination
import RESP

/// Another implementation of the same layout, played with the commands that it sends: it puts the
/// same value back that it took, uses its own clock, and writes whole seconds.
struct OtherImplementation {
  let queue: QueueRedis
  let key: NamespacedKey
  /// By how much its clock is ahead.
  var skew: Int = 0

  private func now() async throws -> Int { Int(try await queue.serverTime()) + skew }

  private var list: String { "queue/\(key)" }
  private var set: String { "heartbeat/\(key)" }

  /// Puts what is stale back into the queue, and fills it up.
  func settle(_ length: Int, staleAfter: Int = 120) async throws {
    let limit = try await now() - staleAfter
    for value in try await queue.strings("ZRANGEBYSCORE", set, "-inf", "\(limit)") {
      try await queue.direct.ask("ZREM", set, value)
      try await queue.direct.ask("RPUSH", list, value)
    }
    let free = try await queue.direct.ask("LLEN", list).integer ?? 0
    let busy = try await queue.direct.ask("ZCARD", set).integer ?? 0
    for _ in 0..<max(0, Int64(length) - free - busy) {
      try await queue.direct.ask("RPUSH", list, Token.uuid().text)
    }
  }

  func take() async throws -> String? {
    guard let value = try await queue.direct.ask("LPOP", list).string else { return nil }
    try await heartbeat(value)
    return value
  }

  func heartbeat(_ value: String) async throws {
    try await queue.direct.ask("ZADD", set, "\(now())", value)
  }

  func release(_ value: String) async throws {
    try await queue.direct.ask("ZREM", set, value)
    try await queue.direct.ask("RPUSH", list, value)
  }
}
