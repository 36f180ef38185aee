import Glibc
package import IPAddresses
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// A SOCKS proxy on a port of 127.0.0.1 that connects to public addresses only.
///
/// It finds the addresses of names itself and connects to what it has checked: there is no moment
/// between the two in which a name could come to mean something else. Whoever can reach the port may
/// use it.
package final class FilteringProxy: Service {
  package struct Configuration: Sendable {
    /// Which addresses may be reached.
    package var rules = AddressGuard()
    package var resolver: any NameResolving = SystemResolver()
    /// From the first byte of a client to its request, and from there to the connection.
    package var timeout = TimeAmount.seconds(15)
    /// At one time; further ones are closed at once.
    package var maximumConnections = 4096

    package init() {}
  }

  package let port: Int
  private let listener: any Channel
  private let logger: Logger

  /// Listens on a free port from here on.
  ///
  /// - Parameter onEvent: called on event loops; must not block.
  package init(
    _ configuration: Configuration = Configuration(), eventLoopGroup: any EventLoopGroup,
    logger: Logger, onEvent: @escaping @Sendable (FilteringProxyEvent) -> Void = { _ in }
  ) async throws {
    let gate = ConnectionGate(limit: configuration.maximumConnections)
    listener = try await ServerBootstrap(group: eventLoopGroup)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        guard gate.enter() else { return channel.close() }
        channel.closeFuture.whenComplete { _ in gate.leave() }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            SOCKSHandler(configuration, onEvent: onEvent))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = listener.localAddress?.port ?? 0
    self.logger = logger
  }

  /// Serves until the task is cancelled or a graceful shutdown begins. Connections that are open then
  /// live on until their ends close them.
  package func run() async throws {
    logger.debug("the filtering proxy listens", metadata: ["port": "\(port)"])
    let listener = listener
    await withTaskCancellationOrGracefulShutdownHandler {
      // An error is an end as well.
      _ = try? await listener.closeFuture.get()
    } onCancelOrGracefulShutdown: {
      listener.close(promise: nil)
    }
  }
}
