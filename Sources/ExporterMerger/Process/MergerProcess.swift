import HTTPServing
package import Logging
import NIOPosix
package import ServiceKit
import ServiceLifecycle

/// The merger, assembled.
package struct MergerProcess: Sendable {
  private let socket: ListenSocket
  private let configuration: MergerConfiguration
  private let logger: Logger

  /// Binds the port: what cannot work is said here.
  package init(_ configuration: MergerConfiguration, logger: Logger) throws(FatalError) {
    self.configuration = configuration
    self.logger = logger
    socket = try ListenSocket(.tcp(host: "", port: configuration.port), option: "port")
  }

  /// Where it listens; port 0 has become the port that the kernel chose.
  package var address: ListenAddress { socket.address }

  /// Serves until SIGTERM.
  package func run() async throws {
    guard let descriptor = socket.take() else {
      throw FatalError("the merger runs already", code: .serviceFailed)
    }
    let reading = NetworkReading(
      scrapes: configuration.sources.count * MergerEndpoint.concurrentAnswers)
    let merger = Merger(
      configuration.sources, reading: reading,
      maximumBytes: configuration.maximumBodyBytes,
      budget: ByteBudget(configuration.maximumTotalBytes), sourceLabel: configuration.sourceLabel,
      logger: logger)
    let endpoint = MergerEndpoint(
      merger, timeout: ScrapeTimeout(configured: configuration.timeout), logger: logger)
    var limits = HTTPServerLimits()
    limits.connections = 256
    limits.keepsAlive = configuration.keepsAlive
    let server = HTTPServer(
      descriptor: descriptor, limits: limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      logger: logger, respond: endpoint.respond)
    logger.info(
      "Listening",
      metadata: ["address": "\(address)", "sources": "\(configuration.sources.count)"])
    let runner = ServiceRunner(
      [.init(server, name: "server")], lameDuck: configuration.lameDuck,
      grace: configuration.terminationGracePeriod, logger: logger)
    do {
      try await runner.run()
    } catch {
      try? await reading.shutDown()
      throw error
    }
    try await reading.shutDown()
  }
}
