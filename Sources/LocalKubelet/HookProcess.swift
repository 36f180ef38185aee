import AsyncHTTPClient
package import LocalServers
import NIOCore
import NIOHTTP1
import Synchronization

/// A real webhook: `<executable> webhook` on 127.0.0.1.
package final class HookProcess: Sendable {
  package struct Settings: Sendable {
    /// The path of the hook's executable.
    package var executable: String
    package var certificates: TestCertificates
    package var redisAddresses: [String]
    /// More options, such as `["--claim-seconds", "5"]`.
    package var arguments: [String]
    package var environment: [String: String]

    package init(
      executable: String, certificates: TestCertificates, redisAddresses: [String],
      arguments: [String] = [], environment: [String: String] = [:]
    ) {
      self.executable = executable
      self.certificates = certificates
      self.redisAddresses = redisAddresses
      self.arguments = arguments
      self.environment = environment
    }
  }

  package let port: Int
  package let metricsPort: Int
  package let probePort: Int
  private let settings: Settings
  private let processes: LocalProcesses
  private let running: Mutex<LocalProcess>

  private init(
    _ settings: Settings, ports: [Int], process: LocalProcess, in processes: LocalProcesses
  ) {
    port = ports[0]
    metricsPort = ports[1]
    probePort = ports[2]
    self.settings = settings
    self.processes = processes
    running = Mutex(process)
  }

  package var process: LocalProcess { running.withLock { $0 } }

  /// Where the API server asks.
  package var address: String { "https://127.0.0.1:\(port)/mutate" }

  /// Starts the webhook and, unless told otherwise, waits until it is ready.
  ///
  /// Throws ``LocalServersError`` with the webhook's last lines when it ends or is not ready within
  /// 30 seconds.
  package static func start(
    _ settings: Settings, awaitReady: Bool = true, in processes: LocalProcesses
  ) async throws -> HookProcess {
    var attempts = 0
    while true {
      attempts += 1
      let hook = try await launch(settings, in: processes)
      guard awaitReady else { return hook }
      do {
        try await hook.waitUntilReady()
        return hook
      } catch let error as LocalServersError
        where error.kind == .ended && error.message.contains("in use") && attempts < 5
      {
        continue
      }
    }
  }

  /// Waits until `/readyz` answers 200.
  package func waitUntilReady(within limit: Duration = .seconds(30)) async throws {
    do {
      try await withDeadline(limit, "the webhook is ready") { [process, probePort] in
        while true {
          if let status = process.exitStatus { throw process.ended(status, process.output) }
          let request = HTTPClientRequest(url: "http://127.0.0.1:\(probePort)/readyz")
          let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(2))
          if response?.status.code == 200 { return }
          try await Task.sleep(for: .milliseconds(20))
        }
      }
    } catch let error as LocalServersError where error.kind == .deadline {
      throw LocalServersError(
        .deadline, "\(error.message)\n\(process.output.suffix(20).joined(separator: "\n"))")
    }
  }

  /// Kills the webhook without a word (SIGKILL); returns when it is gone.
  package func kill() async throws { try await process.kill() }

  /// Starts the webhook again on the same ports, after killing it if it runs; returns once it is
  /// ready, which takes its stores.
  package func restart() async throws {
    try await kill()
    try await withDeadline(.seconds(30), "the webhook starts again") { [self] in
      while true {
        let next = try await Self.launch(
          settings, ports: [port, metricsPort, probePort], in: processes)
        running.withLock { $0 = next }
        do {
          return try await waitUntilReady()
        } catch let error as LocalServersError
          where error.kind == .ended && error.message.contains("in use")
        {
          try await Task.sleep(for: .milliseconds(20))
        }
      }
    }
  }

  private static func launch(
    _ settings: Settings, in processes: LocalProcesses
  ) async throws -> HookProcess {
    let ports = try (0..<3).map { _ in try FreePort.next() }
    let process = try await launch(settings, ports: ports, in: processes)
    return HookProcess(settings, ports: ports, process: process, in: processes)
  }

  private static func launch(
    _ settings: Settings, ports: [Int], in processes: LocalProcesses
  ) async throws -> LocalProcess {
    try await processes.start(
      LocalProcess.Command(
        name: "webhook", executable: settings.executable,
        arguments: [
          "webhook", "--host", "127.0.0.1", "--port", "\(ports[0])",
          "--certDir", settings.certificates.directory,
          "--metrics-bind-address", "127.0.0.1:\(ports[1])",
          "--health-probe-bind-address", "127.0.0.1:\(ports[2])",
        ]
          + (settings.redisAddresses.isEmpty
            ? [] : ["--redis-addresses", settings.redisAddresses.joined(separator: ",")])
          + settings.arguments,
        environment: settings.environment,
        installHint: "build it: swift build"))
  }
}
