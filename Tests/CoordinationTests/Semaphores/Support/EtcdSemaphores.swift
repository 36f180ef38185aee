import Coordination
import EtcdClient
import LocalServers
import Testing

/// Runs `body` with a cluster of etcd and stores of permits on it, each with a client of its own.
func withEtcdSemaphores<Result: Sendable>(
  _ members: Int, stores: Int = 1, staleAfter: Duration = .seconds(60),
  settings: EtcdServer.Settings = EtcdServer.Settings(),
  configure: (inout EtcdConfiguration) -> Void = { _ in },
  _ body: ([EtcdServer], [EtcdSemaphoreStore]) async throws -> Result
) async throws -> Result {
  try await withEtcdServers(count: members, settings: settings) { servers in
    try await withEtcdSemaphores(
      on: servers, stores: stores, staleAfter: staleAfter, configure: configure
    ) { try await body(servers, $0) }
  }
}

/// Runs `body` with stores of permits on a cluster that runs already.
func withEtcdSemaphores<Result: Sendable>(
  on servers: [EtcdServer], stores count: Int = 1, prefix: String = "",
  staleAfter: Duration = .seconds(60), configure: (inout EtcdConfiguration) -> Void = { _ in },
  _ body: ([EtcdSemaphoreStore]) async throws -> Result
) async throws -> Result {
  var stores: [EtcdSemaphoreStore] = []
  for _ in 0..<count {
    let store = try await withEtcdClient(servers, configure: configure) { client in
      var configuration = EtcdSemaphoreStore.Configuration()
      configuration.keyPrefix = prefix
      configuration.staleAfter = staleAfter
      return EtcdSemaphoreStore(client: client, configuration: configuration, logger: .silent)
    }
    stores.append(store)
  }
  return try await withThrowingTaskGroup(of: Void.self) { group in
    defer { group.cancelAll() }
    for store in stores { group.addTask { try await store.run() } }
    return try await body(stores)
  }
}

extension EtcdServer {
  /// The names of all keys that begin so.
  func names(_ prefix: String) async throws -> [String] {
    try await etcdctl("get", "--prefix", "--keys-only", prefix).filter { !$0.isEmpty }
  }

  func leases() async throws -> [String] {
    // The first line is their number.
    Array(try await etcdctl("lease", "list").dropFirst())
  }
}
