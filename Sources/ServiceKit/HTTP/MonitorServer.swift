package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
import ServiceLifecycle

/// A small HTTP/1.1 server for probes, metrics and other short answers.
///
/// It answers GET and HEAD; everything a client sends is bounded in size and time. It has bound its
/// address when it has been made, so that a port in use shows before anything runs and the port
/// chosen for `:0` is known; it answers while ``run()`` runs. After a graceful shutdown began it
/// answers what it has received, closes idle connections and ends.
package final class MonitorServer: Service, CustomStringConvertible {
  /// Answers a request, soon: after ``Limits/responseTimeout`` the connection is closed.
  package typealias Responder = @Sendable (MonitorRequest) async -> MonitorResponse

  /// What a client may use up.
  package struct Limits: Sendable {
    /// Connections at one time. A further one takes the place of the one that has been idle for
    /// the longest time, so that nobody shuts probes out by connecting and saying nothing; if none
    /// is idle, the new one is closed at once.
    package var connections = 64
    /// From the start of a connection, TLS included, to the end of the first request's head.
    package var headTimeout: TimeAmount = .seconds(10)
    /// From one response to the end of the next request's head.
    package var idleTimeout: TimeAmount = .seconds(60)
    package var bodyTimeout: TimeAmount = .seconds(10)
    /// From the end of a request until its response is sent.
    package var responseTimeout: TimeAmount = .seconds(30)
    package var headerBytes = 16 * 1024
    package var bodyBytes = 4 * 1024

    package init() {}

    /// All of a request, as it is received.
    var requestBytes: Int { headerBytes + bodyBytes + 64 * 1024 }
  }

  /// Where the server listens; port 0 has become the port that the kernel chose.
  package var address: ListenAddress { socket.address }

  private let name: String
  private let socket: ListenSocket
  private let tls: NIOSSLContext?
  private let limits: Limits
  private let group: any EventLoopGroup
  private let logger: Logger
  private let respond: Responder
  private let connections = MonitorConnections()

  /// Binds the address.
  ///
  /// - Parameters:
  ///   - name: what it serves, for logs: "probes".
  ///   - option: the command-line option that names the address, for messages.
  ///   - tls: a server's configuration, see ``ServingCertificates``; `nil`: plain HTTP.
  package init(
    name: String, address: ListenAddress, option: String? = nil, tls: TLSConfiguration? = nil,
    limits: Limits = Limits(),
    eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger,
    respond: @escaping Responder
  ) throws(FatalError) {
    self.name = name
    self.limits = limits
    self.group = eventLoopGroup
    self.logger = logger
    self.respond = respond
    do {
      self.tls = try tls.map { try NIOSSLContext(configuration: $0) }
    } catch {
      throw FatalError(
        "the \(name) server cannot use its TLS configuration: \(error)", code: .certificates,
        cause: error)
    }
    self.socket = try ListenSocket(address, option: option)
  }

  package var description: String { "\(name) server" }

  /// Serves until graceful shutdown or cancellation; once only.
  package func run() async throws {
    guard let descriptor = socket.take() else {
      throw FatalError("the \(name) server runs already", code: .serviceFailed)
    }
    defer { socket.removeFile() }
    // Whatever ends the accepting: no connection is left without somebody who closes it.
    defer { connections.quiesce() }
    let server = try await ServerBootstrap(group: group)
      .childChannelOption(.autoRead, value: false)
      .bind(descriptor) { channel in
        channel.eventLoop.makeCompletedFuture { try self.configure(channel) }
      }
    logger.info(
      "Listening", metadata: ["server": "\(name)", "address": "\(address)", "tls": "\(tls != nil)"])
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await server.executeThenClose { inbound in try await accept(inbound) }
    } onCancelOrGracefulShutdown: { [connections] in
      server.channel.close(promise: nil)
      connections.quiesce()
    }
  }

  private typealias Connection = NIOAsyncChannel<MonitorRequest, MonitorResponse>

  /// Prepares a connection, which starts to read when a task has taken it over.
  ///
  /// It leaves as a plain channel and is noted first: NIO drops what it has accepted but not handed
  /// out when the server closes, and traps if that is an async channel
  /// (https://github.com/apple/swift-nio/issues/2813).
  private func configure(_ channel: any Channel) throws -> any Channel {
    guard connections.add(channel, limit: limits.connections) else {
      channel.close(promise: nil)
      throw ChannelError.ioOnClosedChannel
    }
    channel.closeFuture.whenComplete { [connections] _ in connections.remove(channel) }
    let pipeline = channel.pipeline.syncOperations
    let budget = ByteBudget(limits.requestBytes)
    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
    try pipeline.addHandler(ByteBudgetHandler(budget))
    var decoding = NIOHTTPDecoderLimitConfiguration()
    decoding.maxHeaderFieldSize = limits.headerBytes
    decoding.maxHeaderListSize = limits.headerBytes
    // NIO's own error handling writes an answer also to a connection that has just ended, and stops
    // a debug build for it.
    try pipeline.configureHTTPServerPipeline(
      withErrorHandling: false, withEncoderConfiguration: .init(),
      withDecoderLimitConfiguration: decoding)
    try pipeline.addHandler(
      MonitorChannelHandler(limits: limits, budget: budget, connections: connections))
    return channel
  }

  private func accept(_ inbound: NIOAsyncChannelInboundStream<any Channel>) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for try await channel in inbound { group.addTask { await self.serve(channel) } }
    }
  }

  /// Answers the requests of one connection, one after the other.
  private func serve(_ channel: any Channel) async {
    do {
      let connection = try await channel.eventLoop.submit { try Self.open(channel) }.get()
      try await connection.executeThenClose { inbound, outbound in
        for try await request in inbound {
          try await outbound.write(await respond(request))
        }
      }
    } catch {
      logger.debug(
        "Connection failed", metadata: ["server": "\(name)", "error": "\(error)"])
    }
  }

  /// Starts to read from a connection; on its event loop, so that it cannot close meanwhile.
  private static func open(_ channel: any Channel) throws -> Connection {
    guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
    let connection = try Connection(wrappingChannelSynchronously: channel)
    // Throwing here would lose the wrapped channel; one that does not read runs into its deadline.
    try? channel.syncOptions?.setOption(.autoRead, value: true)
    return connection
  }
}
