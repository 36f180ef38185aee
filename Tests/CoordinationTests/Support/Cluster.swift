import Coordination
import LocalServers
import Logging
import NIOPosix
import RESP
import RedisClient

/// Redis servers, lock stores on them, and a client for each server to look behind the stores.
struct Cluster: Sendable {
  let servers: [RedisServer]
  let stores: [RedlockStore]
  let direct: [RedisClient]

  var store: RedlockStore { stores[0] }
}

/// Runs `body` once all stores are connected to all servers.
///
/// - Parameter stores: one store for each configuration, each with connections of its own. Every
///   store names the servers in another order.
func withCluster<Result: Sendable>(
  _ count: Int, stores: [RedlockStore.Configuration] = [.patient],
  settings: RedisServer.Settings = RedisServer.Settings(),
  _ body: (Cluster) async throws -> Result
) async throws -> Result {
  try await withRedisServers(count: count, settings: settings) { servers in
    try await withStores(on: servers, stores) { try await body($0) }
  }
}

/// Like ``withCluster(_:stores:settings:_:)``, on servers that run already.
func withStores<Result: Sendable>(
  on servers: [RedisServer], _ configurations: [RedlockStore.Configuration] = [.patient],
  clock: any MonotonicTime = SystemTime(), _ body: (Cluster) async throws -> Result
) async throws -> Result {
  let direct = servers.map(client)
  let sets = configurations.indices.map { turn in
    servers.indices.map { client(of: servers[($0 + turn) % servers.count]) }
  }
  let stores = zip(sets, configurations).map {
    RedlockStore(lanes: [lane($0)], configuration: $1, time: clock, logger: .silent)
  }
  return try await withThrowingTaskGroup(of: Void.self) { group in
    defer { group.cancelAll() }
    for client in direct { group.addTask { try await client.run() } }
    for store in stores { group.addTask { try await store.run() } }
    try await eventually("all stores are connected to all servers") {
      (sets.flatMap(\.self) + direct).allSatisfy(\.isConnected)
    }
    for client in direct { try await client.loadScripts() }
    return try await body(Cluster(servers: servers, stores: stores, direct: direct))
  }
}

/// All connections on one event loop.
func lane(_ clients: [RedisClient]) -> RedlockStore.Lane {
  RedlockStore.Lane(eventLoop: MultiThreadedEventLoopGroup.singleton.any(), clients: clients)
}

/// A client that is quick to come back.
func client(of server: RedisServer) -> RedisClient {
  var configuration = RedisConfiguration(
    address: RedisAddress(host: "127.0.0.1", port: server.port))
  configuration.connectTimeout = .seconds(20)
  configuration.reconnectDelays = .milliseconds(5) ... .milliseconds(50)
  return RedisClient(
    configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
    logger: .silent)
}

extension RedisClient {
  var isConnected: Bool { if case .connected = status { true } else { false } }

  /// Asks the server itself.
  @discardableResult
  func ask(_ name: String, _ arguments: String...) async throws -> RESPValue {
    try await send(
      RESPCommand(name, arguments: arguments.map { .string($0) }), timeout: .seconds(30))
  }
}

extension RedlockStore.Configuration {
  /// For answers that a busy machine may delay.
  static var patient: Self { nodeTimeout(.seconds(20)) }

  static func nodeTimeout(_ timeout: Duration) -> Self {
    var configuration = Self()
    configuration.nodeTimeout = timeout
    return configuration
  }

  static func prefix(_ prefix: String) -> Self {
    var configuration = patient
    configuration.keyPrefix = prefix
    return configuration
  }
}

extension Logger {
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension Cluster {
  /// What each server has at the lock's key.
  func values(of key: NamespacedKey) async throws -> [String?] {
    var values: [String?] = []
    for client in direct { values.append(try await client.ask("GET", key.description).string) }
    return values
  }

  /// Each server's fencing counter.
  func counters(of key: NamespacedKey) async throws -> [Int64] {
    var counters: [Int64] = []
    for client in direct {
      counters.append(try await client.ask("GET", "_fence/\(key)").integer ?? 0)
    }
    return counters
  }

  /// Brings a lock, which a quorum granted, onto every server, as its holder's first renewal does.
  func spread(
    _ lease: LockLease, _ key: NamespacedKey, of holder: Holder = .pod("a", uid: "u1")
  ) async throws {
    let store = store
    try await eventually("every server has \(key)") {
      let next = try await store.extend(
        key, lease.token, as: holder, knowing: lease.fencingToken)
      let values = try await self.values(of: key)
      return next.lease != nil
        && values.allSatisfy { $0?.hasPrefix(lease.token.text) == true }
    }
  }

  /// Returns once no server has the lock, not even half.
  func waitUntilNothingIsLeft(of key: NamespacedKey) async throws {
    try await eventually("nothing is left of \(key) on any server") {
      let values = try? await self.values(of: key)
      return values?.allSatisfy { $0 == nil } == true
    }
  }
}
