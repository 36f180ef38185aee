import LocalServers
import NIOCore
import NIOPosix
import NIOSSL

/// A TLS connection on which a test writes its own bytes.
struct RawConnection: Sendable {
  /// What the server sent and nobody has read yet.
  private struct Received {
    var text = ""
    var isClosed = false
  }

  /// The serial number of the certificate that the server presented.
  let serialNumber: [UInt8]
  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private let received = Observed(Received())

  func write(_ text: String) async throws {
    try await outbound.write(ByteBuffer(string: text))
  }

  /// Reads a response with a `content-length`: its head and its body.
  func response() async throws -> String {
    _ = try await received.first {
      Self.responseLength($0.text) != nil || $0.isClosed ? true : nil
    }
    let response: String? = received.update { received in
      guard let length = Self.responseLength(received.text) else { return nil }
      defer { received.text = String(received.text.dropFirst(length)) }
      return String(received.text.prefix(length))
    }
    guard let response else {
      throw LocalServersError(.ended, "the connection was closed: \(received.current.text)")
    }
    return response
  }

  /// The length of the response at the start of a text (ASCII); nil if it is not complete.
  private static func responseLength(_ text: String) -> Int? {
    guard let end = text.firstRange(of: "\r\n\r\n")?.upperBound else { return nil }
    let length = text.distance(from: text.startIndex, to: end) + contentLength(text[..<end])
    return text.count >= length ? length : nil
  }

  private static func contentLength(_ head: Substring) -> Int {
    for line in head.split(separator: "\r\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].lowercased() == "content-length" {
        return Int(parts[1].drop { $0 == " " }) ?? 0
      }
    }
    return 0
  }

  /// The serial number of the certificate that a new connection to `port` meets.
  static func serialNumber(onPort port: Int) async throws -> [UInt8] {
    try await with(port: port) { connection in
      try await connection.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
      _ = try await connection.response()
      return connection.serialNumber
    }
  }

  /// Runs `body` with a new connection to 127.0.0.1; at most for 30 seconds.
  static func with<Result: Sendable>(
    port: Int, _ body: @escaping @Sendable (RawConnection) async throws -> Result
  ) async throws -> Result {
    let seen = Observed<[UInt8]?>(nil)
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = ["http/1.1"]
    let context = try NIOSSLContext(configuration: configuration)
    return try await withDeadline(.seconds(30), "a connection to \(port) has done its work") {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            let tls = try NIOSSLClientHandler(context: context, serverHostname: nil) {
              certificates, promise in
              seen.update { $0 = certificates.first?.serialNumber ?? [] }
              promise.succeed(.certificateVerified)
            }
            try channel.pipeline.syncOperations.addHandler(tls)
            return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
              wrappingChannelSynchronously: channel)
          }
        }
      return try await channel.executeThenClose { inbound, outbound in
        let connection = RawConnection(
          serialNumber: try await seen.first { $0 }, outbound: outbound)
        return try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            for try await bytes in inbound {
              connection.received.update { $0.text += String(buffer: bytes) }
            }
            connection.received.update { $0.isClosed = true }
          }
          defer { group.cancelAll() }
          return try await body(connection)
        }
      }
    }
  }
}
