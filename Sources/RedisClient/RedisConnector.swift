import NIOCore
import NIOPosix
import NIOSSL

/// Makes one attempt at a connection: TCP, TLS, greeting, under one deadline.
struct RedisConnector: Sendable {
  let configuration: RedisConfiguration
  let pipe: CommandPipe

  /// The connection, greeted and already carrying commands. Cancellation ends the attempt.
  func connect() async throws(RedisError) -> RedisSession {
    let address = configuration.address
    let security = try makeSecurity()
    let timeout = TimeAmount(configuration.connectTimeout)
    let deadline = pipe.eventLoop.now + timeout
    let ready = pipe.eventLoop.makePromise(of: RedisSession.self)
    let connecting = open(timeout: timeout).flatMapThrowing { channel in
      let pipeline = channel.pipeline.syncOperations
      do {
        if let security {
          try pipeline.addHandler(
            NIOSSLClientHandler(context: security.context, serverHostname: security.name))
        }
        try pipeline.addHandler(
          RedisChannelHandler(
            configuration: configuration, pipe: pipe, ready: ready, deadline: deadline))
      } catch {
        channel.close(promise: nil)
        throw error
      }
      return channel
    }
    connecting.whenFailure { ready.fail($0) }
    do {
      return try await withTaskCancellationHandler {
        try await ready.futureResult.get()
      } onCancel: {
        // Does nothing if the attempt is over.
        ready.fail(CancellationError())
      }
    } catch {
      connecting.whenSuccess { $0.close(promise: nil) }
      throw ConnectFailure.describe(error, address: address)
    }
  }

  private func open(timeout: TimeAmount) -> EventLoopFuture<any Channel> {
    let address = configuration.address
    let bootstrap = ClientBootstrap(group: pipe.eventLoop)
      .connectTimeout(timeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
    if let literal = try? SocketAddress(ipAddress: address.host, port: address.port) {
      return bootstrap.connect(to: literal)
    }
    return bootstrap.connect(host: address.host, port: address.port)
  }

  private func makeSecurity() throws(RedisError) -> (context: NIOSSLContext, name: String?)? {
    guard let tls = configuration.effectiveTLS else { return nil }
    let address = configuration.address
    return (try tls.makeContext(address: address), try tls.verifiedName(address: address))
  }
}
