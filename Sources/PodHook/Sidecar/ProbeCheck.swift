import NIOCore
import NIOHTTP1
import NIOPosix
package import ServiceKit

/// Asks a sidecar's probe path as the kubelet would: for Pods on the host's network, where the
/// kubelet runs this executable inside the sidecar's container instead.
package struct ProbeCheck: Sendable {
  private let address: ListenAddress
  private let path: String
  private let timeout: Duration

  package init(address: ListenAddress, path: String, timeout: Duration = .seconds(1)) {
    self.address = address
    self.path = path
    self.timeout = timeout
  }

  /// - Returns: the status and the body, on one line.
  /// - Throws: why there is no answer, or none in time, with the address.
  package func ask() async throws(FatalError) -> (status: Int, body: String) {
    let clock = ContinuousClock()
    let start = clock.now
    do {
      return try await exchange()
    } catch let error as FatalError {
      throw error
    } catch {
      let reason =
        clock.now - start < timeout ? Self.reason(error) : "nothing within \(timeout.text)"
      throw FatalError(
        "no sidecar answers at \(address): \(reason)", code: .addressUnavailable, cause: error)
    }
  }

  private static func reason(_ error: any Error) -> String {
    var error = error
    if let failure = error as? NIOConnectionError {
      guard let first = failure.connectionErrors.first else { return "its name is not known" }
      error = first.error
    }
    guard let code = (error as? IOError)?.errnoCode else { return "it closed the connection" }
    return AbstractSocket.reason(code)
  }

  private func exchange() async throws -> (status: Int, body: String) {
    let channel = try await connect()
    // A sidecar that is frozen accepts, and then says nothing.
    let limit = channel.channel.eventLoop.scheduleTask(in: .init(timeout)) {
      channel.channel.close(promise: nil)
    }
    defer { limit.cancel() }
    return try await channel.executeThenClose { inbound, outbound in
      let head = HTTPRequestHead(
        version: .http1_1, method: .GET, uri: path,
        headers: ["Host": "localhost", "Connection": "close"])
      try await outbound.write(.head(head))
      try await outbound.write(.end(nil))
      var status = 0
      var body = ByteBuffer()
      for try await part in inbound {
        switch part {
        case .head(let head): status = Int(head.status.code)
        case .body(let bytes) where body.readableBytes < 4096: body.writeImmutableBuffer(bytes)
        case .body: break
        case .end: return (status, String(buffer: body).filter { !$0.isNewline })
        }
      }
      throw ChannelError.eof
    }
  }

  private typealias Client = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

  private func connect() async throws -> Client {
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(.init(timeout))
    let initialize: @Sendable (any Channel) -> EventLoopFuture<Client> = { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHTTPClientHandlers()
        return try Client(wrappingChannelSynchronously: channel)
      }
    }
    switch address {
    case .tcp(let host, let port):
      let host = host == "0.0.0.0" || host.isEmpty ? "127.0.0.1" : host
      return try await bootstrap.connect(host: host, port: port, channelInitializer: initialize)
    case .unix(let path):
      return try await bootstrap.connect(
        unixDomainSocketPath: path, channelInitializer: initialize)
    case .abstract(let name):
      return try await bootstrap.withConnectedSocket(
        AbstractSocket.connect(to: name), channelInitializer: initialize)
    }
  }
}
