package import Logging
import NIOHTTP1
import NIOPosix
import PrometheusText
package import ServiceKit

/// All parts of a proxy's process.
package struct ProxyProcess: Sendable {
  private let runner: ServiceRunner
  /// Where clients connect to.
  package let server: ProxyServer
  /// Where metrics and probes are.
  package let monitorAddress: ListenAddress

  /// Binds all addresses.
  package init(
    configuration: ProxyConfiguration, monitorAddress: ListenAddress, keepsAlive: Bool = true,
    lameDuck: Duration, grace: Duration, registry: PrometheusRegistry, handlesSignals: Bool = true,
    logger: Logger
  ) async throws {
    var parts: [ServiceRunner.Part] = []
    var certificates: ServingCertificates?
    if let directory = configuration.localCertificates {
      let loaded = try ServingCertificates(directory: directory, metrics: registry, logger: logger)
      parts.append(.init(loaded))
      certificates = loaded
    }
    let server = try await ProxyServer(
      configuration: configuration, certificates: certificates, logger: logger)
    self.server = server
    let readiness = Readiness(checks: [server.readinessCheck])
    var routes = MonitorRoutes()
    routes.addHealth()
    routes.addReadiness(readiness)
    routes.add("/metrics") { _ in
      let families = await registry.families() + server.metricFamilies()
      return MonitorResponse(
        contentType: ExpositionEncoder.contentType,
        body: ExpositionEncoder.encode(families.sorted { $0.name < $1.name }))
    }
    let answering = routes
    let monitor = try MonitorServer(
      name: "monitor", address: monitorAddress, option: "monitor-address",
      eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1), logger: logger
    ) { request in
      var response = await answering.respond(to: request)
      if !keepsAlive { response.headers.replaceOrAdd(name: "Connection", value: "close") }
      return response
    }
    self.monitorAddress = monitor.address
    parts.append(.init(monitor))
    parts.append(.init(server))
    runner = ServiceRunner(
      parts, readiness: readiness, lameDuck: lameDuck, grace: grace,
      handlesSignals: handlesSignals, logger: logger)
  }

  /// Runs until the process is told to stop.
  package func run() async throws { try await runner.run() }
}
