package import Coordination
package import Logging
package import NIOCore
package import ServiceKit

/// The sidecar, assembled: the store, the probe server, and the lock.
package struct SidecarProcess: Sendable {
  private let runner: ServiceRunner

  /// Binds the probe address.
  package init(
    configuration: SidecarConfiguration, probeAddress: ListenAddress, store: any LockStore,
    registry: PrometheusRegistry, eventLoopGroup: any EventLoopGroup,
    time: any MonotonicTime = SystemTime(), logger: Logger
  ) throws(FatalError) {
    let sidecar = LockSidecar(
      configuration: configuration, store: store, time: time,
      wallClock: { WallClock.now.seconds }, whenStarted: ResidentCode.release, logger: logger)
    let routes = sidecar.routes(registry: registry) { WallClock.now }
    let probes = try MonitorServer(
      name: "probes", address: probeAddress, option: "probe-address",
      eventLoopGroup: eventLoopGroup, logger: logger, respond: routes.respond)
    // Stopped in reverse: the lock is given back while the store and the probes still answer.
    runner = ServiceRunner(
      [
        .init(StoreService(store), name: "store"),
        .init(probes),
        .init(sidecar, name: "lock", whenFinished: .stop),
      ], grace: configuration.gracePeriod + .seconds(2), logger: logger)
  }

  /// - Throws: `ExitWithCode(42)` when the lock is lost and that is to stop the Pod.
  package func run() async throws { try await runner.run() }
}
