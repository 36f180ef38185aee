import LocalKubelet
import LocalServers
import Testing

/// Another implementation of the layout, played with the raw commands that it sends: whole seconds,
/// the value that it took is the value that it puts back, and a lock is a bare token.
struct OtherImplementation: Sendable {
  let cluster: LocalCluster
  /// In the namespace `team-a`.
  let key: String

  private var queue: String { "queue/team-a/\(key)" }
  private var heartbeats: String { "heartbeat/team-a/\(key)" }
  private var lock: String { "team-a/\(key)" }

  private func now() async throws -> Int {
    try #require(Int(try await cluster.ask(cluster.queue, "TIME").first ?? ""))
  }

  func fill(_ values: String...) async throws {
    for value in values { try await cluster.ask(cluster.queue, "RPUSH", queue, value) }
  }

  /// - Returns: nil if the queue is empty.
  func take() async throws -> String? {
    guard let value = try await cluster.ask(cluster.queue, "LPOP", queue).first, !value.isEmpty
    else { return nil }
    try await heartbeat(value)
    return value
  }

  func heartbeat(_ value: String, secondsAgo: Int = 0) async throws {
    let time = try await now() - secondsAgo
    try await cluster.ask(cluster.queue, "ZADD", heartbeats, "\(time)", value)
  }

  func release(_ value: String) async throws {
    try await cluster.ask(cluster.queue, "ZREM", heartbeats, value)
    try await cluster.ask(cluster.queue, "RPUSH", queue, value)
  }

  /// - Returns: whether the lock was free on all servers.
  func takeLock(_ token: String, seconds: Int, on servers: [RedisServer]) async throws -> Bool {
    var isFree = true
    for server in servers {
      let answer = try await cluster.ask(server, "SET", lock, token, "NX", "EX", "\(seconds)")
      if answer.first != "OK" { isFree = false }
    }
    return isFree
  }

  func releaseLock(_ token: String, on servers: [RedisServer]) async throws {
    let script = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
    for server in servers { try await cluster.ask(server, "EVAL", script, "1", lock, token) }
  }

  func hasLock(_ token: String, on server: RedisServer) async throws -> Bool {
    try await cluster.ask(server, "GET", lock) == [token]
  }

  /// Whether anybody has the lock.
  func isLocked(on server: RedisServer) async throws -> Bool {
    try await cluster.ask(server, "EXISTS", lock) == ["1"]
  }
}
