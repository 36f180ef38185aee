import JSON
import LocalKubelet
import LocalServers

/// How a command ended.
struct FinishedCommand: Sendable {
  let status: LocalProcess.ExitStatus
  /// Standard output and standard error.
  let lines: [String]

  var text: String { lines.joined(separator: "\n") }
  var json: JSONValue? { try? JSONValue(parsing: text) }
}

extension LocalProcesses {
  /// Runs a hook's executable with the given arguments to its end.
  func run(
    _ arguments: [String], of program: HookProgram = .exactlyOne,
    environment: [String: String] = [:], within limit: Duration = .seconds(60)
  ) async throws -> FinishedCommand {
    let process = try await start(
      LocalProcess.Command(
        name: arguments.joined(separator: " "), executable: HookExecutables.built()[program],
        arguments: arguments, environment: environment))
    let status = try await withDeadline(limit, "\(arguments) ends") {
      try await process.waitForExit()
    }
    return FinishedCommand(status: status, lines: process.output)
  }

  /// What `status` says of a lock, on the servers given: nil while they cannot be asked.
  func status(_ key: String, _ redis: [RedisServer]) async throws -> JSONValue? {
    let command = try await run([
      "status", key, "--output", "json", "--redis-addresses",
      redis.map(\.address).joined(separator: ","),
    ])
    guard command.status == .exited(0) else { return nil }
    return command.json?.array?.first
  }
}
