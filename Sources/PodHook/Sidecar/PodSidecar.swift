package import ServiceKit
package import ServiceLifecycle

/// What keeps something for one Pod, from hand-over to release.
///
/// `run()` runs until graceful shutdown, then gives back what is held, and throws
/// `ExitWithCode(42)` when that is lost and the fence is `restart-all`.
package protocol PodSidecar: Service {
  /// What the sidecar answers to the kubelet and to its Pod.
  func routes(
    registry: PrometheusRegistry, wallClock: @escaping @Sendable () -> (seconds: Int, ms: Int)
  ) -> MonitorRoutes

  /// A part of the process that the sidecar cannot do without has ended. The application runs on,
  /// so nothing is given back.
  func abandon(_ part: String, _ error: any Error)
}

extension PodSidecar {
  /// Runs `body` until it throws, or until `lateness` after the process is told to stop.
  func untilShutdown(
    lateness: Duration, _ sleep: @escaping @Sendable (Duration) async throws -> Void,
    _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await gracefulShutdown()
        try await sleep(lateness)
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}
