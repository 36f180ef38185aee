package import Coordination
import Glibc
package import Logging
package import NIOCore
package import ServiceKit
import ServiceLifecycle

/// The sidecar, assembled: the stores, the probe server, and what keeps the lock or permit.
package struct SidecarProcess: Sendable {
  private let runner: ServiceRunner

  /// Binds the probe address.
  ///
  /// - Parameters:
  ///   - stores: what the sidecar asks, run as long as the sidecar does.
  ///   - makeSidecar: makes it, with these effects on the process and its Pod.
  package init(
    configuration: SidecarConfiguration, probeAddress: ListenAddress,
    stores: [any CoordinationStore], registry: PrometheusRegistry,
    eventLoopGroup: any EventLoopGroup, time: any MonotonicTime = SystemTime(), logger: Logger,
    makeSidecar: (SidecarEffects) -> any PodSidecar
  ) throws(FatalError) {
    var effects = SidecarEffects()
    effects.whenStarted = ResidentCode.release
    effects.exit = { _exit($0) }
    if configuration.isGated {
      effects.mark = SharedMemoryMark(
        directory: configuration.sharedDirectory,
        name: "hippocampus-\(configuration.podUID)-\(configuration.token.publicID)", time: time)
    }
    let sidecar = makeSidecar(effects)
    let routes = sidecar.routes(registry: registry) { WallClock.now }
    let probes = try MonitorServer(
      name: "probes", address: probeAddress, option: "probe-address",
      eventLoopGroup: eventLoopGroup, logger: logger, respond: routes.respond)
    // Stopped in reverse: what is held is given back while the stores and the probes still answer.
    runner = ServiceRunner(
      stores.map {
        .init(VitalPart(StoreService($0), name: "store", of: sidecar), name: "store")
      } + [
        .init(VitalPart(probes, name: "probes", of: sidecar), name: "probes"),
        .init(sidecar, name: "sidecar", whenFinished: .stop),
      ], grace: configuration.gracePeriod + .seconds(2), logger: logger)
  }

  /// - Throws: `ExitWithCode(42)` when the lock is lost and that is to stop the Pod.
  package func run() async throws { try await runner.run() }
}

/// A part without which the sidecar cannot keep its promise. Its end is not taken for the end of the
/// Pod, which would give the lock back under a running application.
private struct VitalPart: Service {
  private let service: any Service
  private let name: String
  private let sidecar: any PodSidecar

  private struct Ended: Error {}

  init(_ service: any Service, name: String, of sidecar: any PodSidecar) {
    self.service = service
    self.name = name
    self.sidecar = sidecar
  }

  func run() async throws {
    do {
      try await service.run()
      if !Task.isShuttingDownGracefully, !Task.isCancelled { throw Ended() }
    } catch {
      if !Task.isShuttingDownGracefully, !Task.isCancelled { sidecar.abandon(name, error) }
      throw error
    }
  }
}
