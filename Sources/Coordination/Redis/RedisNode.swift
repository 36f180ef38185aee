import Metrics
import RESP
import RedisClient

/// A Redis server as stores ask it: every answer is timed, every failure counted.
struct RedisNode: Sendable {
  let client: RedisClient
  let name: String
  private let errors: Counter
  private let duration: Metrics.Timer

  init(client: RedisClient) {
    self.client = client
    name = client.address.description
    let dimensions = [("node", name)]
    errors = Counter(label: "lock_store_errors_total", dimensions: dimensions)
    duration = Timer(label: "lock_store_duration_seconds", dimensions: dimensions)
  }

  func run(
    _ script: RedisScript, _ keys: [String], _ arguments: [String], _ timeout: Duration
  ) async throws(RedisError) -> RESPValue {
    try await measured { () async throws(RedisError) in
      try await client.evaluate(
        script, keys: keys, arguments: arguments.map { .string($0) }, timeout: timeout)
    }
  }

  func send(_ command: RESPCommand, _ timeout: Duration) async throws(RedisError) -> RESPValue {
    try await measured { () async throws(RedisError) in
      try await client.send(command, timeout: timeout)
    }
  }

  func ping(timeout: Duration) async throws(RedisError) {
    _ = try await send(RESPCommand("PING"), timeout)
  }

  private func measured(
    _ body: () async throws(RedisError) -> RESPValue
  ) async throws(RedisError) -> RESPValue {
    let start = ContinuousClock.now
    do throws(RedisError) {
      let reply = try await body()
      duration.record(duration: ContinuousClock.now - start)
      return reply
    } catch {
      if error.kind != .cancelled { errors.increment() }
      throw error
    }
  }
}

extension RedisError {
  /// What happened, without the server's name.
  var reason: String {
    guard let cause else { return message }
    return "\(message): \((cause as? RedisError)?.message ?? "\(cause)")"
  }
}
