import Glibc
import HTTPServing
import Logging
package import NIOCore
import NIOHTTP1
package import ObjectStore
package import ServiceKit
import ServiceLifecycle

/// http-kvs, assembled: the store, the server in front of it, metrics and probes beside.
package struct KeyValueProcess: Sendable {
  /// Where it serves; port 0 has become the port that the kernel chose.
  package let address: ListenAddress
  package let monitorAddress: ListenAddress
  private let parts: [ServiceRunner.Part]
  private let readiness: Readiness
  private let configuration: KeyValueConfiguration
  private let logger: Logger

  /// Binds the addresses and reads the tokens: what cannot work is said here.
  package init(
    configuration: KeyValueConfiguration, store: any ObjectStore, clock: WallClock = .system,
    eventLoopGroup: any EventLoopGroup, telemetry: KeyValueTelemetry
  ) throws(FatalError) {
    let logger = telemetry.logger
    let tokens = try configuration.tokensFile.map { path throws(FatalError) in
      try TokenFile(path: path, logger: logger)
    }
    let readiness = Readiness(checks: [Self.check(store).healthCheck])
    var routes = MonitorRoutes()
    routes.addMetrics(telemetry.registry)
    routes.addHealth()
    routes.addReadiness(readiness)
    let monitor = try MonitorServer(
      name: "monitor", address: configuration.monitorAddress, option: "monitor-address",
      logger: logger, respond: routes.respond)
    let socket = try ListenSocket(configuration.address, option: "address")
    let metrics = KeyValueMetrics()
    let service = KeyValueService(
      store: store,
      access: AccessControl(tokens: tokens, trustedField: configuration.trustedField),
      crossOrigin: configuration.crossOrigin, readiness: readiness,
      maximumValueBytes: configuration.maximumValueBytes, clock: clock, metrics: metrics,
      journal: Journal(logger: logger, isComplete: configuration.isEveryRequestLogged))
    let tracing = RequestTracing(
      tracer: telemetry.tracer, isExporting: telemetry.exporter != nil)
    let server = HTTPServer(
      descriptor: try Self.descriptor(of: socket), limits: Self.limits(configuration),
      eventLoopGroup: eventLoopGroup, logger: logger,
      onConnections: { metrics.connectionsChanged(by: $0) },
      onRefusal: { metrics.countRefusal($0) },
      respond: { exchange in try await tracing.run(exchange) { try await service.answer($0) } })
    var parts = telemetry.exporter.map { [ServiceRunner.Part($0)] } ?? []
    parts.append(.init(store, name: "store"))
    if let tokens { parts.append(.init(tokens)) }
    parts += [.init(monitor), .init(server, name: "server")]
    self.parts = parts
    address = socket.address
    monitorAddress = monitor.address
    self.readiness = readiness
    self.configuration = configuration
    self.logger = logger
  }

  /// Runs until SIGTERM or until a part fails.
  package func run() async throws {
    logger.notice(
      "Serving",
      metadata: [
        "address": "\(address)", "store": "\(configuration.store)",
        "monitor": "\(monitorAddress)",
      ])
    defer { if case .unix(let path) = address { unlink(path) } }
    try await ServiceRunner(
      parts, readiness: readiness, lameDuck: configuration.lameDuck,
      grace: configuration.gracePeriod, logger: logger
    ).run()
  }

  private static func descriptor(of socket: ListenSocket) throws(FatalError) -> Int32 {
    guard let descriptor = socket.take() else {
      throw FatalError("\(socket.address) is served already", code: .serviceFailed)
    }
    return descriptor
  }

  private static func limits(_ configuration: KeyValueConfiguration) -> HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.keepsAlive = configuration.keepsAlive
    limits.idleTimeout = .nanoseconds(Int64(configuration.idleTimeout / .nanoseconds(1)))
    limits.allowedMethods = KeyValueService.keyMethods
    // Every second connection may have a file open besides; most are idle. What is left is for the
    // store itself.
    limits.connections = min(
      configuration.maximumConnections, max(16, (DescriptorLimit.raised() - 512) * 2 / 3))
    return limits
  }

  private static func check(_ store: any ObjectStore) -> CachedCheck {
    CachedCheck(
      HealthCheck("store") {
        do throws(ObjectStoreError) {
          try await store.check()
          return .healthy
        } catch {
          return .unhealthy("\(error.kind)")
        }
      }, interval: .seconds(2))
  }
}
