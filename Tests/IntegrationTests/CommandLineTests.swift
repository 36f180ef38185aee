import JSON
import LocalKubelet
import LocalServers
import Testing

/// What the commands say and with which code they end.
@Suite(.serialized) struct CommandLineTests {
  private func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> FinishedCommand {
    try await withLocalProcesses { try await $0.run(arguments, environment: environment) }
  }

  private let sidecar = ["sidecar", "ns/key", "token", "--redis-addresses", "127.0.0.1:1"]
  private let pod = ["POD_UID": "uid-1", "POD_NAME": "pod-1"]

  @Test(arguments: [
    [], ["webhook"], ["sidecar"], ["status"], ["release"], ["sidecar", "check"],
  ])
  func helpAndVersionAreAlwaysThere(_ command: [String]) async throws {
    let help = try await run(command + ["--help"])
    #expect(help.status == .exited(0))
    #expect(help.text.contains("USAGE: exactly-one-pod-hook"))
    let version = try await run(command + ["--version"])
    #expect(version.status == .exited(0))
    #expect(version.lines.count == 1 && version.text.contains("."), "\(version.text)")
  }

  @Test func helpOfTheSidecarShowsWhatItsDefaultTakes() async throws {
    let help = try await run(["sidecar", "--help"])
    for text in [
      "sidecar <unlock-key> <unlock-value>", "--expiration-seconds", "--redis-addresses",
      "sidecar check --probe-address",
    ] { #expect(help.text.contains(text), "\(text): \(help.text)") }
    #expect(try await run(["sidecar", "-h"]).text == help.text)
  }

  struct WrongOption: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let mentions: [String]
    var environment: [String: String] = [:]

    var testDescription: String { arguments.joined(separator: " ") + "\(environment)" }
  }

  @Test(arguments: [
    WrongOption(
      arguments: ["webhook", "--port", "70000"], mentions: ["--port", "'70000'", "0 to 65535"]),
    WrongOption(
      arguments: ["webhook", "--claim-seconds", "soon"],
      mentions: ["--claim-seconds", "'soon'", "1 to 3600"]),
    WrongOption(
      arguments: ["webhook", "--fence", "wall"],
      mentions: ["--fence", "'wall'", "auto, restart-all, liveness, none"]),
    WrongOption(
      arguments: ["webhook", "--sidecar-position", "middle"],
      mentions: ["--sidecar-position", "'middle'", "first, last"]),
    WrongOption(
      arguments: ["webhook", "--metrics-bind-address", "here"],
      mentions: ["--metrics-bind-address", "'here'", "host:port"]),
    WrongOption(
      arguments: ["webhook", "--sidecar-memory-limit", "much"],
      mentions: ["--sidecar-memory-limit", "'much'", "32Mi"]),
    WrongOption(
      arguments: ["webhook", "--redis-addresses", "a:1,a:1"],
      mentions: ["--redis-addresses", "'a:1,a:1'", "different servers"]),
    WrongOption(
      arguments: ["status", "key-without-namespace"],
      mentions: ["KEY", "'key-without-namespace'", "<namespace>/<key>"]),
    WrongOption(
      arguments: ["status", "--output", "yaml"], mentions: ["--output", "'yaml'", "text, json"]),
    WrongOption(
      arguments: ["status", "--lock-mode", "paper"],
      mentions: ["--lock-mode", "'paper'", "redlock"]),
    WrongOption(
      arguments: ["release", "ns/key"], mentions: ["--value TOKEN or --force is missing"]),
    WrongOption(
      arguments: ["release", "ns/key", "--value", "x", "--force"],
      mentions: ["--value and --force exclude each other"]),
    WrongOption(
      arguments: ["sidecar", "ns/key", "token"], mentions: ["POD_UID"], environment: ["POD_UID": ""]
    ),
    WrongOption(
      arguments: ["webhook"], mentions: ["--port", "PORT", "'x'", "0 to 65535"],
      environment: ["PORT": "x"]),
    WrongOption(arguments: ["webhook", "--no-such-option"], mentions: ["--no-such-option"]),
    WrongOption(arguments: ["no-such-command"], mentions: ["no-such-command"]),
    WrongOption(arguments: ["sidecar"], mentions: ["unlock-key"]),
  ])
  func aWrongOptionIs64AndOneLine(_ wrong: WrongOption) async throws {
    let result = try await run(wrong.arguments, environment: wrong.environment)
    #expect(result.status == .exited(64))
    #expect(result.lines.count == 1, "\(result.text)")
    for text in wrong.mentions { #expect(result.text.contains(text), "\(result.text)") }
  }

  @Test func allFaultsAreToldAtOnceAndSecretsNever() async throws {
    let result = try await run(
      [
        "webhook", "--port", "x", "--lameduck", "y", "--fence", "z", "--redis-timeout", "0s",
        "--redis-addresses", "redis://user:hunter2@host:1", "--log-level", "loud",
      ], environment: ["VARIANT": "Not A Label"])
    #expect(result.status == .exited(64))
    #expect(result.lines.count == 7, "\(result.text)")
    for option in [
      "--port", "--lameduck", "--fence", "--redis-timeout", "--redis-addresses", "--log-level",
      "VARIANT",
    ] { #expect(result.lines.count { $0.contains(option) } == 1, "\(option): \(result.text)") }
    #expect(!result.text.contains("hunter2"))
  }

  @Test func aMissingCertificateDirectorySaysWhatToDo() async throws {
    let result = try await run([
      "webhook", "--certDir", "/no/such/directory", "--port", "0", "--lock-mode", "memory",
      "--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0",
    ])
    expectPlainFailure(result, mentions: ["/no/such/directory/tls.crt", "mount a Secret"])
  }

  @Test(arguments: ["--port", "--metrics-bind-address", "--health-probe-bind-address"])
  func aPortInUseSaysWhatToDo(_ option: String) async throws {
    try await withLocalProcesses { processes in
      let redis = try await RedisServer.start(in: processes)
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      var options = [
        "--host": "127.0.0.1", "--port": "0", "--metrics-bind-address": "127.0.0.1:0",
        "--health-probe-bind-address": "127.0.0.1:0", "--certDir": certificates.directory,
        "--lock-mode": "memory",
      ]
      options[option] = option == "--port" ? "\(redis.port)" : redis.address
      let result = try await processes.run(["webhook"] + options.flatMap { [$0.key, $0.value] })
      expectPlainFailure(result, mentions: ["\(redis.port)", "in use", option])
    }
  }

  @Test func aProbePortInUseSaysWhatToDo() async throws {
    try await withLocalProcesses { processes in
      let redis = try await RedisServer.start(in: processes)
      let result = try await processes.run(
        sidecar + ["--probe-address", redis.address], environment: pod)
      expectPlainFailure(result, mentions: ["\(redis.port)", "in use", "--probe-address"])
    }
  }

  /// Exit code 1 and one sentence on a line of its own, beside JSON logs.
  private func expectPlainFailure(_ result: FinishedCommand, mentions: [String]) {
    #expect(result.status == .exited(1))
    let plain = result.lines.filter { !$0.hasPrefix("{") }
    #expect(plain.count == 1 && plain.first?.hasPrefix("error: ") == true, "\(result.text)")
    for text in mentions { #expect(plain.first?.contains(text) == true, "\(result.text)") }
  }

  @Test(arguments: [["status"], ["status", "ns/key"], ["release", "ns/key", "--force"]])
  func withoutRedisTheCommandsFail(_ arguments: [String]) async throws {
    let address = "127.0.0.1:\(try FreePort.next())"
    let result = try await run(arguments + ["--redis-addresses", address])
    expectPlainFailure(result, mentions: [address])
  }

  @Test(arguments: ["127.0.0.1:", "[::1]:", "unix:@nobody-", "unix:/tmp/nobody-"])
  func aCheckOfNobodySaysSo(_ start: String) async throws {
    let address = "\(start)\(try FreePort.next())"
    let result = try await run(["sidecar", "check", "--probe-address", address, "--path", "/held"])
    expectPlainFailure(
      result, mentions: ["no sidecar answers at \(address): nobody listens there"])
  }

  @Test func withoutRedisASidecarKeepsItsGateClosedAndKeepsTrying() async throws {
    try await withLocalProcesses { processes in
      let redis = try await RedisServer.start(in: processes)
      try await redis.kill()
      let port = try FreePort.next()
      let process = try await processes.start(
        LocalProcess.Command(
          name: "sidecar", executable: HookExecutables.built()[.exactlyOne],
          arguments: [
            "sidecar", "ns/key", "token", "--redis-addresses", redis.address, "--probe-address",
            "127.0.0.1:\(port)",
          ], environment: pod))
      try await eventually("it tried twice") {
        let failures = process.output.count { $0.contains("lock could not be read") }
        return failures >= 2 ? true : nil
      }
      let check = ["sidecar", "check", "--probe-address", "127.0.0.1:\(port)", "--path"]
      let id = "3c469e9d6c5875d3"
      let closed = try await processes.run(check + ["/startupz/\(id)"])
      #expect(closed.status == .exited(1))
      #expect(closed.text == "503 waiting for the lock")
      #expect(try await processes.run(check + ["/startupz/0"]).text.hasPrefix("404 "))
      try await redis.restart()
      try await withDeadline(.seconds(30), "the gate opens") {
        try await process.line(containing: "gate opened")
      }
      #expect(try await processes.run(check + ["/startupz/\(id)"]).text == "200 open")
      #expect(try await processes.run(check + ["/held/\(id)"]).status == .exited(0))
      process.signal(.terminate)
      #expect(try await process.waitForExit() == .exited(0))
    }
  }
}
