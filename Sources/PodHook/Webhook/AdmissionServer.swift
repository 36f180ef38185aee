import EventLoops
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceKit
import ServiceLifecycle

/// Serves a ``WebhookEndpoint`` over TLS: HTTP/1.1 and, if asked for, HTTP/2.
struct AdmissionServer: Service {
  private let server: any Service

  /// Further connections wait until others end. API servers use a handful.
  private static let connectionLimit = 1024
  /// Between two requests on one connection; the API server keeps its connections for long.
  private static let idleTimeout = TimeAmount.seconds(120)

  init(
    configuration: WebhookConfiguration, certificates: ServingCertificates,
    endpoint: WebhookEndpoint, logger: Logger
  ) throws(FatalError) {
    let isHTTP2Enabled = configuration.isHTTP2Enabled
    let tls = try certificates.serverConfiguration(
      clientCAFile: configuration.clientCAFile,
      applicationProtocols: isHTTP2Enabled ? ["h2", "http/1.1"] : ["http/1.1"])
    var quiet = logger
    // A connection that a client drops is no news.
    quiet.logLevel = max(logger.logLevel, .warning)
    do {
      let http1 = HTTP1Channel.Configuration(idleTimeout: Self.idleTimeout)
      let respond: HTTPChannelHandler.Responder = { request, writer, _ in
        let answer = await endpoint.answer(to: request)
        do {
          try await writer.write(response: answer.response.head, body: answer.response.body)
        } catch {
          endpoint.takeBack(answer)
          throw error
        }
      }
      if isHTTP2Enabled {
        let channel = try HTTP2UpgradeChannel(
          tlsConfiguration: tls,
          configuration: .init(idleTimeout: .seconds(120), streamConfiguration: http1),
          responder: respond)
        server = Self.server(channel, configuration, quiet)
      } else {
        let channel = try TLSChannel(
          HTTP1Channel(responder: respond, configuration: http1), tlsConfiguration: tls)
        server = Self.server(channel, configuration, quiet)
      }
    } catch {
      throw FatalError("the admission server cannot be set up: \(error)", cause: error)
    }
    address = ListenAddress.tcp(host: configuration.host, port: configuration.port)
  }

  private static func server(
    _ channel: some ServerChildChannel, _ configuration: WebhookConfiguration, _ logger: Logger
  ) -> any Service {
    let group = MultiThreadedEventLoopGroup.singleton
    return AffineChannel(channel, executors: EventLoopTaskExecutors(group)).server(
      configuration: ServerConfiguration(
        address: .hostname(configuration.host, port: configuration.port),
        availableConnectionsDelegate: MaximumAvailableConnections(connectionLimit)),
      onServerRunning: { channel in
        let address = channel.localAddress.map { "\($0)" } ?? ""
        logger.notice("Serving admission", metadata: ["address": "\(address)"])
      }, eventLoopGroup: group, logger: logger)
  }

  private let address: ListenAddress

  func run() async throws {
    do {
      try await server.run()
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw FatalError(
        "\(address) is in use: stop what listens there or choose another --port",
        code: .addressInUse, cause: error)
    } catch let error as IOError {
      throw FatalError(
        "\(address) cannot be bound (\(error)): choose another --host or --port",
        code: .addressUnavailable, cause: error)
    }
  }
}
