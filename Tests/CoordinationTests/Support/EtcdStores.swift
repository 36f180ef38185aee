import Coordination
import EtcdClient
import LocalServers
import Logging
import NIOPosix

/// Runs `body` with a cluster of etcd and a store on it.
func withEtcdStore<Result: Sendable>(
  _ count: Int, settings: EtcdServer.Settings = EtcdServer.Settings(),
  configure: (inout EtcdConfiguration) -> Void = { _ in },
  _ body: ([EtcdServer], EtcdLockStore) async throws -> Result
) async throws -> Result {
  try await withEtcdServers(count: count, settings: settings) { servers in
    try await withEtcdStore(on: servers, configure: configure) { try await body(servers, $0) }
  }
}

/// Runs `body` with another store on a cluster that runs already.
func withEtcdStore<Result: Sendable>(
  on servers: [EtcdServer], prefix: String = "", clock: any MonotonicTime = SystemTime(),
  configure: (inout EtcdConfiguration) -> Void = { _ in },
  _ body: (EtcdLockStore) async throws -> Result
) async throws -> Result {
  try await withEtcdClient(servers, configure: configure) { client in
    var configuration = EtcdLockStore.Configuration()
    configuration.keyPrefix = prefix
    let store = EtcdLockStore(
      client: client, configuration: configuration, time: clock, logger: .silent)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await store.run() }
      return try await body(store)
    }
  }
}

/// A client of all servers. Whoever gets it runs it.
func withEtcdClient<Result: Sendable>(
  _ servers: [EtcdServer], configure: (inout EtcdConfiguration) -> Void = { _ in },
  _ body: (EtcdClient) async throws -> Result
) async throws -> Result {
  var configuration = EtcdConfiguration(
    addresses: try servers.map { try EtcdAddress(parsing: $0.address) })
  // For answers that a busy machine may delay.
  configuration.attemptTimeout = .seconds(2)
  configure(&configuration)
  let client = EtcdClient.measured(
    configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
    logger: .silent)
  return try await body(client)
}
