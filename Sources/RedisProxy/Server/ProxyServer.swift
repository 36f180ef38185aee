package import Logging
package import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
package import ServiceKit

/// Takes clients and serves them until a graceful shutdown.
///
/// It has bound its address when it has been made. During the shutdown it takes no more clients and
/// closes each when that has all its replies; cancellation closes them at once.
package final class ProxyServer: Service, CustomStringConvertible {
  /// Where it listens; port 0 has become the port that the kernel chose.
  package let address: SocketAddress
  let lanes: [NIOLoopBound<ProxyLane>]
  let gate: ClientGate

  private let channel: any Channel
  private let group: MultiThreadedEventLoopGroup
  private let logger: Logger

  /// Binds the address and begins to connect to the servers.
  ///
  /// - Parameter certificates: nil: no TLS for clients.
  package init(
    configuration: ProxyConfiguration, certificates: ServingCertificates? = nil, logger: Logger
  ) async throws(FatalError) {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
    let gate = ClientGate(limit: configuration.maximumConnections)
    var lanes: [NIOLoopBound<ProxyLane>] = []
    for eventLoop in group.makeIterator() {
      do {
        lanes.append(
          try await eventLoop.submit {
            let lane = ProxyLane(
              eventLoop: eventLoop, configuration: configuration, gate: gate, logger: logger)
            lane.warmUp()
            return NIOLoopBound(lane, eventLoop: eventLoop)
          }.get())
      } catch {
        throw FatalError("an event loop does not run", code: .other, cause: error)
      }
    }
    self.group = group
    self.gate = gate
    self.lanes = lanes
    self.logger = logger
    var tls: NIOSSLContext?
    if let certificates {
      let server = try certificates.serverConfiguration(
        clientCAFile: configuration.localAuthorities, applicationProtocols: [])
      do {
        tls = try NIOSSLContext(configuration: server)
      } catch {
        throw FatalError("TLS for clients cannot be set up", code: .certificates, cause: error)
      }
    }
    var bootstrap = Self.bootstrap(group, lanes, gate, tls)
    if case .tcp = configuration.localAddress {
      // As Redis does (`tcp-keepalive 300`), so that clients that vanish do not stay for ever.
      for (option, value) in TCPKeepalive.options(idle: 300, interval: 100, count: 3) {
        bootstrap = bootstrap.childChannelOption(option, value: value)
      }
    }
    do {
      switch configuration.localAddress {
      case .tcp(let host, let port):
        channel = try await bootstrap.bind(host: host.isEmpty ? "::" : host, port: port).get()
      case .unix(let path):
        channel = try await bootstrap.bind(
          unixDomainSocketPath: path, cleanupExistingSocketFile: true
        ).get()
      case .abstract(let name):
        channel = try await bootstrap.bind(unixDomainSocketPath: "\0" + name).get()
      }
    } catch {
      throw FatalError(
        "cannot listen on \(configuration.localAddress) (\(UpstreamFailure.sentence(for: error))): "
          + "choose another address with --local-address",
        code: .addressUnavailable, cause: error)
    }
    guard let address = channel.localAddress else {
      throw FatalError("the listening socket has no address", code: .addressUnavailable)
    }
    self.address = address
  }

  package var description: String { "proxy" }

  /// Serves until a graceful shutdown has let all clients finish, or cancellation.
  package func run() async throws {
    logger.notice("Serving", metadata: ["address": "\(address)"])
    await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        try? await channel.closeFuture.get()
        await waitForClients()
      } onGracefulShutdown: {
        self.channel.close(promise: nil)
        self.onEachLane { $0.drain() }
      }
    } onCancel: {
      self.channel.close(promise: nil)
      self.onEachLane { $0.close() }
    }
    onEachLane { $0.close() }
    try? await group.shutdownGracefully()
  }

  private func waitForClients() async {
    while gate.clients > 0, !Task.isCancelled {
      // There is no event for the last one of all event loops, and no hurry.
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private func onEachLane(_ body: @escaping @Sendable (ProxyLane) -> Void) {
    for lane in lanes { lane.eventLoop.execute { body(lane.value) } }
  }

  private static func bootstrap(
    _ group: MultiThreadedEventLoopGroup, _ lanes: [NIOLoopBound<ProxyLane>], _ gate: ClientGate,
    _ tls: NIOSSLContext?
  ) -> ServerBootstrap {
    let byEventLoop = Dictionary(
      uniqueKeysWithValues: lanes.map { (ObjectIdentifier($0.eventLoop), $0) })
    return ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      // Each client keeps the buffer of its last read: small ones to begin with.
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 256, maximum: 64 << 10)
      )
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let lane = byEventLoop[ObjectIdentifier(channel.eventLoop)]?.value else { return }
          if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
          }
          try channel.pipeline.syncOperations.addHandler(
            ClientHandler(lane: lane, number: gate.nextNumber()))
        }
      }
  }
}
