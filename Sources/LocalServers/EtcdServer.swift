import Glibc
import Synchronization

/// A real member of an etcd cluster on 127.0.0.1 with a data directory of its own.
package final class EtcdServer: Sendable {
  package struct Settings: Sendable {
    /// Serve clients over TLS instead of plain TCP.
    package var certificates: TestCertificates?
    /// Whether clients need a certificate of the same authority.
    package var requiresClientCertificate: Bool
    /// How often the leader shows that it lives, in milliseconds; an election begins after ten
    /// times that without a sign.
    package var heartbeatMilliseconds: Int
    /// More options of `etcd`, such as `["--quota-backend-bytes", "100000"]`.
    package var arguments: [String]
    /// `ETCD_SERVER` in the environment, else `etcd`.
    package var executable: String

    package init(
      certificates: TestCertificates? = nil, requiresClientCertificate: Bool = false,
      heartbeatMilliseconds: Int = 100, arguments: [String] = [], executable: String? = nil
    ) {
      self.certificates = certificates
      self.requiresClientCertificate = requiresClientCertificate
      self.heartbeatMilliseconds = heartbeatMilliseconds
      self.arguments = arguments
      self.executable = executable ?? getenv("ETCD_SERVER").map { String(cString: $0) } ?? "etcd"
    }
  }

  package let name: String
  package let port: Int
  private let peerPort: Int
  private let directory: String
  /// `name=url` of all members.
  private let cluster: String
  private let settings: Settings
  private let processes: LocalProcesses
  private let process: Mutex<LocalProcess?>

  fileprivate init(
    name: String, ports: (client: Int, peer: Int), directory: String, cluster: String,
    settings: Settings, processes: LocalProcesses
  ) {
    self.name = name
    port = ports.client
    peerPort = ports.peer
    self.directory = directory
    self.cluster = cluster
    self.settings = settings
    self.processes = processes
    process = Mutex(nil)
  }

  /// `127.0.0.1:<port>`, with `https://` in front if it serves TLS, as `--etcd-addresses` takes it.
  package var address: String { settings.certificates == nil ? authority : "https://\(authority)" }

  private var authority: String { "127.0.0.1:\(port)" }

  /// What it logged lately.
  package var output: [String] { process.withLock { $0 }?.output ?? [] }

  private func running() throws -> LocalProcess {
    guard let process = process.withLock({ $0 }) else {
      throw LocalServersError(.ended, "\(name) was never started")
    }
    return process
  }

  /// Freezes the member (SIGSTOP): connections stay open, nothing is answered.
  ///
  /// - Returns: once it stands still.
  package func pause() async throws { try await running().standStill() }

  /// Lets a paused member go on.
  package func resume() throws { try running().signal(.resume) }

  /// Kills the member without a word (SIGKILL); returns when it is gone.
  package func kill() async throws { try await running().kill() }

  /// Starts the member again on the same ports and data, after killing it if it runs. Returns once
  /// it serves clients, which takes a majority of the cluster.
  package func restart() async throws {
    try await kill()
    try await withDeadline(.seconds(30), "\(name) starts again") { [self] in
      while true {
        do {
          try await launch()
          return try await waitUntilReady()
        } catch let error as LocalServersError
          where error.kind == .ended && error.message.contains("in use")
        {
          try await Task.sleep(for: .milliseconds(20))
        }
      }
    }
  }

  /// Runs `etcdctl` against this member to its end; returns what it printed.
  @discardableResult
  package func etcdctl(_ arguments: String...) async throws -> [String] {
    let process = try await startEtcdctl(arguments)
    guard try await process.waitForExit() == .exited(0) else {
      throw LocalServersError(
        .ended, "etcdctl \(arguments): \(process.output.joined(separator: "\n"))")
    }
    return process.output
  }

  /// Starts `etcdctl` against this member.
  package func startEtcdctl(_ arguments: [String]) async throws -> LocalProcess {
    var options = ["--endpoints", address]
    if let certificates = settings.certificates {
      options += ["--cacert", certificates.authorityPath]
      options += ["--cert", certificates.certificatePath, "--key", certificates.keyPath]
    }
    return try await processes.start(
      LocalProcess.Command(
        name: "etcdctl", executable: "etcdctl", arguments: options + arguments,
        environment: ["ETCDCTL_API": "3"],
        installHint: "install it (Debian: apt-get install etcd-client)"))
  }

  fileprivate func launch() async throws {
    let started = try await processes.start(
      LocalProcess.Command(
        name: name, executable: settings.executable, arguments: arguments,
        installHint: "install etcd (Debian: apt-get install etcd-server) or set ETCD_SERVER to the "
          + "path of one"))
    process.withLock { $0 = started }
  }

  /// By its own word, written when it has joined the cluster and serves clients.
  fileprivate func waitUntilReady() async throws {
    let process = try running()
    try await withDeadline(.seconds(60), "\(name) is ready") {
      // "serving client traffic securely" or "insecurely".
      try await process.line(containing: "serving client traffic")
    }
  }

  private var arguments: [String] {
    let scheme = settings.certificates == nil ? "http" : "https"
    var arguments = ["--name", name, "--data-dir", "\(directory)/data"]
    arguments += ["--logger", "zap", "--log-outputs", "stderr"]
    arguments += ["--listen-client-urls", "\(scheme)://\(authority)"]
    arguments += ["--advertise-client-urls", "\(scheme)://\(authority)"]
    arguments += ["--listen-peer-urls", "http://127.0.0.1:\(peerPort)"]
    arguments += ["--initial-advertise-peer-urls", "http://127.0.0.1:\(peerPort)"]
    arguments += ["--initial-cluster", cluster]
    arguments += ["--heartbeat-interval", String(settings.heartbeatMilliseconds)]
    arguments += ["--election-timeout", String(settings.heartbeatMilliseconds * 10)]
    if let certificates = settings.certificates {
      arguments += ["--cert-file", certificates.certificatePath]
      arguments += ["--key-file", certificates.keyPath]
      if settings.requiresClientCertificate {
        arguments += ["--client-cert-auth", "--trusted-ca-file", certificates.authorityPath]
      }
    }
    return arguments + settings.arguments
  }
}

extension LocalProcesses {
  /// Starts a cluster of `count` members; returns once all serve clients.
  package func startEtcdServers(
    _ count: Int, _ settings: EtcdServer.Settings = EtcdServer.Settings()
  ) async throws -> [EtcdServer] {
    var attempts = 0
    while true {
      attempts += 1
      do {
        return try await startEtcdCluster(count, settings)
      } catch let error as LocalServersError
        where error.kind == .ended && error.message.contains("in use") && attempts < 10
      {
        // Members that did start are killed with the scope; these have other ports.
        continue
      }
    }
  }

  private func startEtcdCluster(
    _ count: Int, _ settings: EtcdServer.Settings
  ) async throws -> [EtcdServer] {
    var members: [(name: String, ports: (client: Int, peer: Int))] = []
    for number in 1...count {
      members.append(("etcd-\(number)", (try FreePort.next(), try FreePort.next())))
    }
    let cluster = members.map { "\($0.name)=http://127.0.0.1:\($0.ports.peer)" }
      .joined(separator: ",")
    let servers = try members.map { member in
      EtcdServer(
        name: member.name, ports: member.ports, directory: try newDirectory(member.name),
        cluster: cluster, settings: settings, processes: self)
    }
    for server in servers { try await server.launch() }
    for server in servers { try await server.waitUntilReady() }
    return servers
  }
}

/// Runs `body` with a cluster of `count` members that ends with it.
package func withEtcdServers<Result: Sendable>(
  count: Int, settings: EtcdServer.Settings = EtcdServer.Settings(),
  _ body: ([EtcdServer]) async throws -> Result
) async throws -> Result {
  try await withLocalProcesses { processes in
    try await body(processes.startEtcdServers(count, settings))
  }
}
