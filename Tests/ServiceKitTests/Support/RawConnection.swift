import Glibc
import NIOCore
import NIOPosix

@testable import ServiceKit

/// A connection on which a test speaks bytes.
final class RawConnection {
  private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

  private init(
    _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.inbound = inbound.makeAsyncIterator()
    self.outbound = outbound
  }

  static func with<Result: Sendable>(
    _ address: ListenAddress, _ body: (RawConnection) async throws -> Result
  ) async throws -> Result {
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    let wrap: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> =
      { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel(wrappingChannelSynchronously: channel)
        }
      }
    let channel =
      switch address {
      case .tcp(let host, let port):
        try await bootstrap.connect(
          host: host.isEmpty ? "127.0.0.1" : host, port: port, channelInitializer: wrap)
      case .unix(let path):
        try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: wrap)
      case .abstract(let name):
        try await bootstrap.withConnectedSocket(
          try connect([0] + name.utf8), channelInitializer: wrap)
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await body(RawConnection(inbound, outbound))
    }
  }

  func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

  /// What comes until the text ends like this, or the connection.
  func receive(until end: String? = nil) async throws -> String {
    var received = ""
    do {
      while let bytes = try await inbound.next(isolation: #isolation) {
        received += String(buffer: bytes)
        if let end, received.hasSuffix(end) { break }
      }
    } catch let error as IOError where error.errnoCode == ECONNRESET {
      // The server closed while bytes of ours were unread: an end like any other.
    }
    return received
  }

  private static func connect(_ name: [UInt8]) throws -> CInt {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let result = withUnixAddress(name) { Glibc.connect(descriptor, $0, $1) }
    guard result == 0 else { throw FileFailure(path: "abstract socket", code: errno) }
    return descriptor
  }
}
