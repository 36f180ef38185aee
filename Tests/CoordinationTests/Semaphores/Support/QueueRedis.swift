import Coordination
import Glibc
import LocalServers
import Logging
import NIOPosix
import RESP
import RedisClient

/// A queue Redis, permit stores on it, and a client to look behind the stores.
struct QueueRedis: Sendable {
  let server: RedisServer
  let stores: [RedisSemaphoreStore]
  let direct: RedisClient

  var store: RedisSemaphoreStore { stores[0] }
}

/// Runs `body` once all stores, each with a connection of its own, are connected to a new server.
func withQueue<Result: Sendable>(
  stores: [RedisSemaphoreStore.Configuration] = [.patient],
  settings: RedisServer.Settings = RedisServer.Settings(),
  _ body: (QueueRedis) async throws -> Result
) async throws -> Result {
  try await withRedisServers(count: 1, settings: settings) { servers in
    try await withQueueStores(on: servers[0], stores) { try await body($0) }
  }
}

/// Like ``withQueue(stores:settings:_:)``, on a server that runs already.
func withQueueStores<Result: Sendable>(
  on server: RedisServer, _ configurations: [RedisSemaphoreStore.Configuration] = [.patient],
  _ body: (QueueRedis) async throws -> Result
) async throws -> Result {
  let direct = client(of: server)
  let clients = configurations.map { _ in client(of: server) }
  let stores = zip(clients, configurations).map {
    RedisSemaphoreStore(
      lanes: [.init(eventLoop: MultiThreadedEventLoopGroup.singleton.any(), client: $0)],
      configuration: $1, logger: .silent)
  }
  return try await withThrowingTaskGroup(of: Void.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await direct.run() }
    for store in stores { group.addTask { try await store.run() } }
    let queue = QueueRedis(server: server, stores: stores, direct: direct)
    try await eventually("all stores are connected") {
      (clients + [direct]).allSatisfy(\.isConnected)
    }
    return try await body(queue)
  }
}

extension RedisServer.Settings {
  /// Redis 6.2, the oldest that is supported.
  static func redis6() throws -> RedisServer.Settings {
    guard let path = getenv("REDIS_6_SERVER") else {
      throw LocalServersError(
        .missingExecutable,
        "tests need Redis 6.2: run scripts/install-test-dependencies, and set REDIS_6_SERVER to the"
          + " path of a redis-server 6.2 as scripts/run-tests does")
    }
    return RedisServer.Settings(executable: String(cString: path))
  }
}

extension RedisSemaphoreStore.Configuration {
  /// For answers that a busy machine may delay.
  static var patient: Self { commandTimeout(.seconds(20)) }

  static func commandTimeout(_ timeout: Duration) -> Self {
    var configuration = Self()
    configuration.commandTimeout = timeout
    return configuration
  }

  static func prefix(_ prefix: String) -> Self {
    var configuration = patient
    configuration.keyPrefix = prefix
    return configuration
  }
}

extension QueueRedis {
  /// The server's clock in seconds.
  func serverTime() async throws -> Double {
    let parts = try await direct.ask("TIME").array ?? []
    return Double(parts.first?.integer ?? 0) + Double(parts.last?.integer ?? 0) / 1e6
  }

  /// Makes all that is known about a key this much older.
  func age(_ key: NamespacedKey, by duration: Duration) async throws {
    let script = """
      local function shift(key, sign)
        local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
        for place = 1, #all, 2 do
          local score = tonumber(all[place + 1])
          score = score + (score < 0 and ARGV[1] or -ARGV[1])
          redis.call('ZADD', key, string.format('%.6f', score), all[place])
        end
      end
      shift(KEYS[1])
      shift(KEYS[2])
      """
    try await direct.ask(
      "EVAL", script, "2", "heartbeat/\(key)", "reclaimed/\(key)", "\(duration / .seconds(1))")
  }

  func strings(_ name: String, _ arguments: String...) async throws -> [String] {
    let reply = try await direct.send(
      RESPCommand(name, arguments: arguments.map { .string($0) }), timeout: .seconds(30))
    return (reply.array ?? []).map { $0.string ?? "\($0)" }
  }

  /// The free permits in the queue, as everybody sees them.
  func placeholders(_ key: NamespacedKey) async throws -> [String] {
    try await strings("LRANGE", "queue/\(key)", "0", "-1")
  }

  /// The permits in flight with their last heartbeats, as everybody sees them.
  func heartbeats(_ key: NamespacedKey) async throws -> [String: Double] {
    let reply = try await direct.ask("ZRANGE", "heartbeat/\(key)", "0", "-1", "WITHSCORES")
    // Version 3 of the protocol nests the pairs.
    let flat = (reply.array ?? []).flatMap { $0.array ?? [$0] }
    var heartbeats: [String: Double] = [:]
    for place in stride(from: 0, to: flat.count, by: 2) {
      heartbeats[flat[place].string ?? ""] = flat[place + 1].seconds
    }
    return heartbeats
  }
}

extension RESPValue {
  /// A score, in whichever way the protocol's version writes it.
  var seconds: Double? {
    if case .double(let number) = self { return number }
    return string.flatMap(Double.init)
  }
}
