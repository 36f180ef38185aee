package import LocalServers

/// Everything that a guarded Pod needs, on this machine: Redis servers, certificates, the real
/// webhook over TLS, and a stand-in for the rest of Kubernetes.
package struct LocalCluster: Sendable {
  package let processes: LocalProcesses
  package let redis: [RedisServer]
  package let certificates: TestCertificates
  /// The webhooks, one for each variant, in the order in which they are asked.
  package let hooks: [HookProcess]
  package let kubelet: LocalKubelet

  package struct Settings: Sendable {
    /// The number of independent Redis masters.
    package var redisCount = 3
    package var redis = RedisServer.Settings()
    /// More options of the webhook.
    package var hookArguments: [String] = []
    package var hookEnvironment: [String: String] = [:]
    /// Several hooks in one cluster: the `VARIANT` of each, nil for none. At least one.
    package var variants: [String?] = [nil]
    package var kubelet: LocalKubelet.Settings

    /// - Parameter executable: the path of `exactly-one-pod-hook`.
    package init(executable: String) {
      kubelet = LocalKubelet.Settings(executable: executable)
    }
  }

  /// The first webhook, mostly the only one.
  package var hook: HookProcess { hooks[0] }
}

/// Runs `body` in a cluster of its own; nothing of it is left afterwards.
package func withLocalCluster<Result: Sendable>(
  _ settings: LocalCluster.Settings, _ body: (LocalCluster) async throws -> Result
) async throws -> Result {
  try await withLocalProcesses { processes in
    let redis = try await processes.startRedisServers(settings.redisCount, settings.redis)
    let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
    var hooks: [HookProcess] = []
    for variant in settings.variants {
      var hook = HookProcess.Settings(
        executable: settings.kubelet.executable, certificates: certificates,
        redisAddresses: redis.map(\.address), arguments: settings.hookArguments,
        environment: settings.hookEnvironment)
      hook.environment["VARIANT"] = variant
      hooks.append(try await HookProcess.start(hook, in: processes))
    }
    return try await withLocalKubelet(
      settings.kubelet, webhooks: hooks.map(\.address), authorityPath: certificates.authorityPath,
      in: processes
    ) { kubelet in
      try await body(
        LocalCluster(
          processes: processes, redis: redis, certificates: certificates, hooks: hooks,
          kubelet: kubelet))
    }
  }
}
