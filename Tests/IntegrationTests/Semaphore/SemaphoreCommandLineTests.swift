import LocalKubelet
import LocalServers
import Testing

/// What the semaphore's commands say of themselves and of wrong options.
@Suite(.serialized) struct SemaphoreCommandLineTests {
  private func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> FinishedCommand {
    try await withLocalProcesses {
      try await $0.run(arguments, of: .atLeastSemaphore, environment: environment)
    }
  }

  struct Help: Sendable, CustomTestStringConvertible {
    let command: [String]
    let lists: [String]
    var testDescription: String { (command + ["--help"]).joined(separator: " ") }
  }

  private static let stores = [
    "--queue-mode", "--queue-redis-address", "--stale-threshold-seconds", "--lock-mode",
    "--redis-addresses", "--key-prefix", "--redis-timeout", "--redis-credentials-directory",
    "--etcd-addresses",
  ]

  @Test(arguments: [
    Help(command: [], lists: ["webhook", "sidecar", "status", "release", "resize"]),
    Help(
      command: ["webhook"],
      lists: stores + [
        "--heartbeat-interval-seconds", "--claim-seconds", "--port", "--certDir", "--fence",
        "--sidecar-image", "--sidecar-probe-port", "--variant", "--log-level",
        "--metrics-bind-address", "--health-probe-bind-address", "--lameduck",
      ]),
    Help(
      command: ["sidecar"],
      lists: stores + [
        "sidecar <queue-name> <queue-value>", "sidecar check --probe-address", "--length",
        "--lock-seconds", "--heartbeat-interval-seconds", "--probe-address",
        "--termination-grace-period-seconds", "--fence",
      ]),
    Help(command: ["sidecar", "check"], lists: ["--probe-address", "--path"]),
    Help(command: ["status"], lists: stores + ["--output"]),
    Help(command: ["release"], lists: stores + ["--value", "--pod"]),
    Help(command: ["resize"], lists: stores + ["<key>", "<length>"]),
  ])
  func helpListsEverything(_ help: Help) async throws {
    let result = try await run(help.command + ["--help"])
    #expect(result.status == .exited(0))
    #expect(result.text.contains("USAGE: at-least-semaphore-pod-hook"))
    for text in help.lists { #expect(result.text.contains(text), "\(text): \(result.text)") }
  }

  struct WrongOption: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let mentions: [String]
    var environment: [String: String] = [:]
    var testDescription: String { arguments.joined(separator: " ") + "\(environment)" }
  }

  @Test(arguments: [
    WrongOption(
      arguments: ["webhook", "--stale-threshold-seconds", "60"],
      mentions: [
        "--stale-threshold-seconds", "'60'", "more than twice --heartbeat-interval-seconds",
        "which is 30",
      ]),
    WrongOption(
      arguments: ["webhook", "--heartbeat-interval-seconds", "0"],
      mentions: ["--heartbeat-interval-seconds", "'0'", "1 to 3600"]),
    WrongOption(
      arguments: ["webhook", "--queue-mode", "paper"],
      mentions: ["--queue-mode", "'paper'", "redis", "memory"]),
    WrongOption(
      arguments: ["webhook", "--queue-redis-address", "a:1,b:2"],
      mentions: ["--queue-redis-address", "'a:1,b:2'", "one server"]),
    WrongOption(
      arguments: ["webhook"], mentions: ["--queue-mode", "QUEUE_MODE", "'paper'"],
      environment: ["QUEUE_MODE": "paper"]),
    WrongOption(
      arguments: ["status", "key-without-namespace"],
      mentions: ["KEY", "'key-without-namespace'", "<namespace>/<key>"]),
    WrongOption(
      arguments: ["status", "--output", "yaml"], mentions: ["--output", "'yaml'", "text, json"]),
    WrongOption(
      arguments: ["release", "ns/key"], mentions: ["exactly one of --value PERMIT and --pod NAME"]),
    WrongOption(
      arguments: ["release", "ns/key", "--value", "x", "--pod", "y"],
      mentions: ["exactly one of --value PERMIT and --pod NAME"]),
    WrongOption(arguments: ["release", "key", "--pod", "y"], mentions: ["KEY", "'key'"]),
    WrongOption(
      arguments: ["resize", "ns/key", "0"], mentions: ["LENGTH", "'0'", "1 to 100000"]),
    WrongOption(
      arguments: ["resize", "ns/key", "100001"], mentions: ["LENGTH", "'100001'", "1 to 100000"]),
    WrongOption(
      arguments: ["resize", "ns/key", "many"], mentions: ["LENGTH", "'many'", "1 to 100000"]),
    WrongOption(arguments: ["resize", "ns/key"], mentions: ["length"]),
    WrongOption(
      arguments: ["sidecar", "ns/key", "token", "--length", "0"],
      mentions: ["--length", "'0'", "1 to 100000"], environment: ["POD_UID": "uid-1"]),
    WrongOption(
      arguments: ["sidecar", "ns/key", "token"], mentions: ["POD_UID"], environment: ["POD_UID": ""]
    ),
    WrongOption(arguments: ["sidecar"], mentions: ["queue-name"]),
    WrongOption(arguments: ["webhook", "--no-such-option"], mentions: ["--no-such-option"]),
    WrongOption(arguments: ["no-such-command"], mentions: ["no-such-command"]),
  ])
  func aWrongOptionIs64AndOneLine(_ wrong: WrongOption) async throws {
    let result = try await run(wrong.arguments, environment: wrong.environment)
    #expect(result.status == .exited(64))
    #expect(result.lines.count == 1, "\(result.text)")
    for text in wrong.mentions { #expect(result.text.contains(text), "\(result.text)") }
  }

  @Test func aPasswordInTheQueuesAddressIsNotRepeated() async throws {
    let result = try await run(
      ["webhook", "--queue-redis-address", "redis://user:hunter2@host:1"])
    #expect(result.status == .exited(64) && result.lines.count == 1)
    #expect(result.text.contains("--queue-redis-address") && !result.text.contains("hunter2"))
  }

  @Test(arguments: [["status"], ["status", "ns/key"], ["release", "ns/key", "--pod", "x"]])
  func withoutItsRedisACommandSaysWhichOne(_ arguments: [String]) async throws {
    let address = "127.0.0.1:\(try FreePort.next())"
    let result = try await run(arguments + ["--queue-redis-address", address])
    #expect(result.status == .exited(1))
    #expect(result.lines.count == 1 && result.text.hasPrefix("error: "), "\(result.text)")
    #expect(result.text.contains(address))
  }
}
