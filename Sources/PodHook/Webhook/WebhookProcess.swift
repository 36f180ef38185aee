package import Coordination
import Logging
package import ServiceKit
package import ServiceLifecycle

/// The webhook, assembled: admission over TLS, metrics, probes, and the store behind them.
package struct WebhookProcess: Sendable {
  private let parts: [ServiceRunner.Part]
  private let readiness: Readiness
  private let lameDuck: Duration
  private let logger: Logger

  /// Binds the ports and loads the certificates: what cannot work is said here.
  ///
  /// - Parameter companions: what runs beside, and ends with, the stores.
  package init(
    configuration: WebhookConfiguration, admission: PodAdmission,
    companions: [any Service] = [], time: any MonotonicTime, telemetry: Telemetry
  ) throws(FatalError) {
    let logger = telemetry.logger
    let stores = admission.claims.stores
    let certificates = try ServingCertificates(
      directory: configuration.certificateDirectory, logger: logger)
    let readiness = Readiness(
      checks: [certificates.healthCheck]
        + stores.map { Self.storeCheck($0, time).healthCheck })
    var metricsRoutes = MonitorRoutes()
    metricsRoutes.addMetrics(telemetry.registry)
    let metricsTLS =
      configuration.isMetricsSecure ? try certificates.serverConfiguration() : nil
    let metrics = try MonitorServer(
      name: "metrics", address: configuration.metricsAddress, option: "metrics-bind-address",
      tls: metricsTLS, logger: logger, respond: metricsRoutes.respond)
    var probeRoutes = MonitorRoutes()
    probeRoutes.addHealth()
    probeRoutes.addReadiness(readiness)
    let probes = try MonitorServer(
      name: "probes", address: configuration.probeAddress, option: "health-probe-bind-address",
      logger: logger, respond: probeRoutes.respond)
    let endpoint = WebhookEndpoint(admission: admission, time: time, telemetry: telemetry)
    let server = try AdmissionServer(
      configuration: configuration, certificates: certificates, endpoint: endpoint,
      logger: logger)
    let exporter = telemetry.exporter.map { [ServiceRunner.Part($0)] } ?? []
    parts =
      exporter + stores.map { .init(StoreService($0), name: "store") }
      + companions.map { .init($0) }
      + [
        .init(
          StoreFindings(stores: stores, time: time, logger: logger), name: "findings",
          whenFinished: .goOn),
        .init(certificates),
        .init(metrics), .init(probes),
        .init(server, name: "admission"),
      ]
    self.readiness = readiness
    lameDuck = configuration.lameDuck
    self.logger = logger
  }

  /// Runs until SIGTERM or until a part fails.
  package func run() async throws {
    try await ServiceRunner(parts, readiness: readiness, lameDuck: lameDuck, logger: logger).run()
  }

  private static func storeCheck(
    _ store: any CoordinationStore, _ time: any MonotonicTime
  ) -> CachedCheck {
    CachedCheck(
      HealthCheck("store") {
        do throws(StoreError) {
          try await store.check(deadline: time.now + .seconds(1))
          return .healthy
        } catch {
          return .unhealthy("\(error)")
        }
      })
  }
}

/// Says once what the stores' owner should know.
private struct StoreFindings: Service {
  let stores: [any CoordinationStore]
  let time: any MonotonicTime
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      for store in stores {
        for finding in await store.findings(deadline: time.now + .seconds(5)) {
          logger.warning("store is not set up safely", metadata: ["finding": "\(finding)"])
        }
      }
    }
  }
}
