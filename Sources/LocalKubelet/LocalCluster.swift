package import LocalServers

/// Everything that a guarded Pod needs, on this machine: Redis servers, certificates, the real
/// webhook over TLS, and a stand-in for the rest of Kubernetes.
package struct LocalCluster: Sendable {
  package let processes: LocalProcesses
  package let redis: [RedisServer]
  /// The members of one cluster; none if the stores are on Redis.
  package let etcd: [EtcdServer]
  package let certificates: TestCertificates
  /// The webhooks, in the order in which they are asked; replicas of one are side by side.
  package let hooks: [HookProcess]
  package let kubelet: LocalKubelet

  package struct Settings: Sendable {
    /// The number of independent Redis masters.
    package var redisCount = 3
    package var redis = RedisServer.Settings()
    /// The number of etcd members. With any, all stores are on etcd, and no Redis is needed.
    package var etcdCount = 0
    /// More options of the webhook.
    package var hookArguments: [String] = []
    package var hookEnvironment: [String: String] = [:]
    /// In the order in which the API server asks them. At least one.
    package var hooks = [Hook(.exactlyOne)]
    package var kubelet: LocalKubelet.Settings

    package init(executables: HookExecutables) {
      kubelet = LocalKubelet.Settings(executables: executables)
    }
  }

  /// One installation of a hook.
  package struct Hook: Sendable, Hashable {
    package var program: HookProgram
    /// Its `VARIANT`.
    package var variant: String?
    /// More options of this webhook.
    package var arguments: [String]
    /// How many processes serve it. Any of them may be asked about a Pod.
    package var replicas: Int
    /// In front of the semaphore's keys. Empty: the layout that other implementations share.
    package var keyPrefix = LocalCluster.semaphorePrefix

    package init(
      _ program: HookProgram, variant: String? = nil, arguments: [String] = [], replicas: Int = 1
    ) {
      self.program = program
      self.variant = variant
      self.arguments = arguments
      self.replicas = replicas
    }

    /// The two hooks share the servers, and keep their locks apart by a prefix.
    fileprivate func storeArguments(_ redis: [RedisServer], _ etcd: [EtcdServer]) -> [String] {
      var arguments: [String] = []
      if !etcd.isEmpty {
        let addresses = etcd.map(\.address).joined(separator: ",")
        arguments += ["--lock-mode", "etcd", "--etcd-addresses", addresses]
      }
      guard program == .atLeastSemaphore else { return arguments }
      if !keyPrefix.isEmpty { arguments += ["--key-prefix", keyPrefix] }
      return arguments
        + (redis.first.map { ["--queue-redis-address", $0.address] } ?? ["--queue-mode", "etcd"])
    }
  }

  /// In front of all keys of the semaphore hook, unless told otherwise.
  package static let semaphorePrefix = "semaphore:"

  /// The first webhook, mostly the only one.
  package var hook: HookProcess { hooks[0] }
}

/// Runs `body` in a cluster of its own; nothing of it is left afterwards.
package func withLocalCluster<Result: Sendable>(
  _ settings: LocalCluster.Settings, _ body: (LocalCluster) async throws -> Result
) async throws -> Result {
  try await withLocalProcesses { processes in
    let redis = try await processes.startRedisServers(settings.redisCount, settings.redis)
    let etcd =
      settings.etcdCount > 0 ? try await processes.startEtcdServers(settings.etcdCount) : []
    let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
    var hooks: [[HookProcess]] = []
    for hook in settings.hooks {
      var process = HookProcess.Settings(
        executable: settings.kubelet.executables[hook.program], certificates: certificates,
        redisAddresses: redis.map(\.address),
        arguments: hook.storeArguments(redis, etcd) + settings.hookArguments + hook.arguments,
        environment: settings.hookEnvironment)
      process.environment["VARIANT"] = hook.variant
      var replicas: [HookProcess] = []
      for _ in 0..<hook.replicas {
        replicas.append(try await HookProcess.start(process, in: processes))
      }
      hooks.append(replicas)
    }
    return try await withLocalKubelet(
      settings.kubelet, webhooks: hooks.map { $0.map(\.address) },
      authorityPath: certificates.authorityPath, in: processes
    ) { kubelet in
      try await body(
        LocalCluster(
          processes: processes, redis: redis, etcd: etcd, certificates: certificates,
          hooks: hooks.flatMap { $0 }, kubelet: kubelet))
    }
  }
}
