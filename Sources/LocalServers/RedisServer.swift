import Glibc
import Synchronization

/// A real Redis server on 127.0.0.1 with a data directory of its own.
package final class RedisServer: Sendable {
  package struct Settings: Sendable {
    /// Whether every write is on disk before it is answered (`appendfsync always`). Without it a
    /// killed server comes back empty.
    package var appendOnly: Bool
    /// Serve TLS instead of plain TCP.
    package var certificates: TestCertificates?
    /// More options of `redis-server`, such as `["--requirepass", "x"]`.
    package var arguments: [String]
    /// `REDIS_SERVER` in the environment, else `redis-server`.
    package var executable: String

    package init(
      appendOnly: Bool = false, certificates: TestCertificates? = nil, arguments: [String] = [],
      executable: String? = nil
    ) {
      self.appendOnly = appendOnly
      self.certificates = certificates
      self.arguments = arguments
      self.executable =
        executable ?? getenv("REDIS_SERVER").map { String(cString: $0) } ?? "redis-server"
    }
  }

  package let name: String
  package let port: Int
  /// Where it keeps its data.
  package let directory: String

  private let settings: Settings
  private let processes: LocalProcesses
  private let process: Mutex<LocalProcess>

  private init(
    name: String, port: Int, directory: String, settings: Settings, processes: LocalProcesses,
    process: LocalProcess
  ) {
    self.name = name
    self.port = port
    self.directory = directory
    self.settings = settings
    self.processes = processes
    self.process = Mutex(process)
  }

  /// `127.0.0.1:<port>`, as `--redis-addresses` takes it.
  package var address: String { "127.0.0.1:\(port)" }

  /// What it logged lately.
  package var output: [String] { running.output }

  private var running: LocalProcess { process.withLock { $0 } }

  /// Starts a server; returns once it accepts commands.
  package static func start(
    _ settings: Settings = Settings(), name: String = "redis", in processes: LocalProcesses
  ) async throws -> RedisServer {
    let directory = try processes.newDirectory(name)
    var attempts = 0
    while true {
      attempts += 1
      let port = try FreePort.next()
      do {
        let process = try await launch(
          settings, name: name, port: port, directory: directory, in: processes)
        return RedisServer(
          name: name, port: port, directory: directory, settings: settings, processes: processes,
          process: process)
      } catch let error as LocalServersError
        where error.kind == .ended && error.message.contains("in use") && attempts < 10
      {
        continue
      }
    }
  }

  /// Freezes the server (SIGSTOP): connections stay open, nothing is answered.
  ///
  /// - Returns: once it stands still.
  package func pause() async throws {
    try await running.standStill()
  }

  /// Lets a paused server go on.
  package func resume() {
    running.signal(.resume)
  }

  /// Kills the server without a word (SIGKILL); returns when it is gone.
  package func kill() async throws {
    try await running.kill()
  }

  /// Starts the server again on the same port, after killing it if it runs; with `empty`, its data
  /// is removed in between.
  package func restart(empty: Bool = false) async throws {
    try await kill()
    if empty { try await removeData() }
    try await withDeadline(.seconds(30), "\(name) starts again") { [self] in
      while true {
        do {
          let next = try await Self.launch(
            settings, name: name, port: port, directory: directory, in: processes)
          return process.withLock { $0 = next }
        } catch let error as LocalServersError
          where error.kind == .ended && error.message.contains("in use")
        {
          try await Task.sleep(for: .milliseconds(20))
        }
      }
    }
  }

  private func removeData() async throws {
    let removal = try await processes.start(
      LocalProcess.Command(
        name: "rm", executable: "/bin/sh",
        arguments: ["-c", "rm -rf \"$1\" && mkdir \"$1\"", "rm", directory]))
    guard try await removal.waitForExit() == .exited(0) else {
      throw LocalServersError(.system, "cannot empty \(directory): \(removal.output)")
    }
  }

  private static func launch(
    _ settings: Settings, name: String, port: Int, directory: String, in processes: LocalProcesses
  ) async throws -> LocalProcess {
    let process = try await processes.start(
      LocalProcess.Command(
        name: name, executable: settings.executable,
        arguments: arguments(settings, port: port, directory: directory),
        installHint: "install Redis (Debian: apt-get install redis-server; macOS: brew install "
          + "redis) or set REDIS_SERVER to the path of a redis-server"))
    // Its own word, written once the port is bound and the data is loaded. A PING could be
    // answered by another server that took the port first.
    do {
      try await withDeadline(.seconds(30), "\(name) accepts connections") {
        try await process.line(containing: "Ready to accept connections")
      }
    } catch let error as LocalServersError where error.message.contains("Bad directive") {
      throw LocalServersError(
        .missingExecutable,
        "\(settings.executable) does not know an option that is needed (TLS?): set REDIS_SERVER to "
          + "the path of one that does, such as Debian's /usr/bin/redis-server\n\(error.message)")
    }
    return process
  }

  private static func arguments(
    _ settings: Settings, port: Int, directory: String
  ) -> [String] {
    var arguments = ["--bind", "127.0.0.1", "--dir", directory, "--save", ""]
    arguments += ["--protected-mode", "no", "--maxmemory-policy", "noeviction"]
    arguments += ["--appendonly", settings.appendOnly ? "yes" : "no", "--appendfsync", "always"]
    if let certificates = settings.certificates {
      arguments += ["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no"]
      arguments += ["--tls-cert-file", certificates.certificatePath]
      arguments += ["--tls-key-file", certificates.keyPath]
      arguments += ["--tls-ca-cert-file", certificates.authorityPath]
    } else {
      arguments += ["--port", String(port)]
    }
    return arguments + settings.arguments
  }
}

extension LocalProcesses {
  /// Starts `count` independent Redis masters.
  package func startRedisServers(
    _ count: Int, _ settings: RedisServer.Settings = RedisServer.Settings()
  ) async throws -> [RedisServer] {
    var servers: [RedisServer] = []
    for number in 0..<count {
      servers.append(
        try await RedisServer.start(settings, name: "redis-\(number + 1)", in: self))
    }
    return servers
  }
}

/// Runs `body` with `count` independent Redis masters that end with it.
package func withRedisServers<Result: Sendable>(
  count: Int, settings: RedisServer.Settings = RedisServer.Settings(),
  _ body: ([RedisServer]) async throws -> Result
) async throws -> Result {
  try await withLocalProcesses { processes in
    try await body(processes.startRedisServers(count, settings))
  }
}
