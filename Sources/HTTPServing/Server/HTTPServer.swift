import EventLoops
import Glibc
package import Logging
package import NIOCore
package import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Serves HTTP/1.1 with bodies that stream both ways.
///
/// Each connection has one task, which runs on the connection's event loop and answers its requests
/// one after the other: nothing that runs there may block. Bodies are read from the network as the
/// service asks for them, answers are written as the client takes them.
///
/// Why not HummingbirdCore, which serves the webhooks: measured here (two cores, 1 KiB, 32
/// connections, tasks on the event loop too), it takes 30 µs of CPU for an answer that is constant;
/// that is the whole of what a read of a stored value may take. It also answers `Expect` only by
/// itself or never, and has no limit for clients that stall.
package struct HTTPServer: Service {
  /// Answers one request. It need not read the body; it ends the connection by throwing.
  package typealias Responder = @Sendable (HTTPExchange) async throws -> Void

  private let descriptor: Int32
  private let limits: HTTPServerLimits
  private let group: any EventLoopGroup
  private let executors: EventLoopTaskExecutors
  private let connections: HTTPConnections
  private let logger: Logger
  private let onConnections: @Sendable (Int) -> Void
  private let onRefusal: @Sendable (HTTPResponseStatus) -> Void
  private let respond: Responder

  /// - Parameters:
  ///   - descriptor: a listening socket, which the server owns from now on; it must run.
  ///   - logger: gets failures of the service at error level, those of connections at debug level.
  ///   - onConnections: told by how many the number of open connections changed.
  ///   - onRefusal: told of each answer that was given without `respond`: to what is no request.
  package init(
    descriptor: Int32, limits: HTTPServerLimits = HTTPServerLimits(),
    eventLoopGroup: any EventLoopGroup, logger: Logger,
    onConnections: @escaping @Sendable (Int) -> Void = { _ in },
    onRefusal: @escaping @Sendable (HTTPResponseStatus) -> Void = { _ in },
    respond: @escaping Responder
  ) {
    self.descriptor = descriptor
    self.limits = limits
    group = eventLoopGroup
    executors = EventLoopTaskExecutors(eventLoopGroup)
    connections = HTTPConnections(
      limit: limits.connections, evictionTime: limits.evictionTime)
    self.logger = logger
    self.onConnections = onConnections
    self.onRefusal = onRefusal
    self.respond = respond
  }

  /// Serves until graceful shutdown, which lets answers end that are under way, or cancellation,
  /// which does not; once only.
  package func run() async throws {
    // Whatever ends the accepting: no connection is left without somebody who closes it.
    defer {
      connections.stop()
      // One that was accepted last may never have got a task.
      connections.closeAll()
    }
    let server = try await ServerBootstrap(group: group)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(
          minimum: 1024, initial: 2048, maximum: limits.readBytes)
      )
      .childChannelOption(
        .writeBufferWaterMark,
        value: .init(low: limits.bufferedBytes / 4, high: limits.bufferedBytes)
      )
      .bind(descriptor) { channel in
        channel.eventLoop.makeCompletedFuture { try configure(channel) }
      }
    // Crowds come at once, and NIO has just asked for a short queue.
    listen(descriptor, 4096)
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await server.executeThenClose { inbound in try await accept(inbound) }
    } onCancelOrGracefulShutdown: { [connections] in
      server.channel.close(promise: nil)
      connections.stop()
    }
  }

  /// Noted before it has a task: one that is accepted while the server stops may never get one.
  private func configure(_ channel: any Channel) throws -> HTTPConnection {
    guard let entry = connections.add(channel) else {
      channel.close(promise: nil)
      throw ChannelError.ioOnClosedChannel
    }
    onConnections(1)
    channel.closeFuture.whenComplete { [connections, onConnections] _ in
      connections.remove(channel)
      onConnections(-1)
    }
    var decoding = NIOHTTPDecoderLimitConfiguration()
    decoding.maxHeaderFieldSize = limits.headBytes
    decoding.maxHeaderListSize = limits.headBytes
    let meter = HTTPHeadMeter(limit: limits.headBytes + limits.readBytes)
    let handler = HTTPConnectionHandler(
      channel, limits: limits, entry: entry, meter: meter, onRefusal: onRefusal)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandlers(
      HTTPHeadMeterHandler(meter),
      ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: decoding)), handler)
    return HTTPConnection(channel: channel, handler: handler)
  }

  private func accept(
    _ inbound: NIOAsyncChannelInboundStream<HTTPConnection>
  ) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for try await connection in inbound {
        let executor = executors[connection.channel.eventLoop]
        group.addTask(executorPreference: executor) { await connection.run(respond, logger) }
      }
    }
  }
}
