import NIOCore
import NIOPosix

/// Stands in for S3 in benchmarks: answers every request that has a whole head with the same object
/// of 1 KiB, as fast as a socket can be read and written. It checks nothing and reads no bodies.
///
/// `s3-constant PORT [THREADS]`
@main
struct S3Constant {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 2, let port = Int(arguments[1]),
      let threads = arguments.count == 2 ? 1 : Int(arguments[2])
    else {
      print("usage: s3-constant PORT [THREADS]")
      return
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    let server = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ConstantAnswer())
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    print("ready")
    try await server.closeFuture.get()
  }
}

/// Looks for the empty line at the end of each head, and nothing else.
private final class ConstantAnswer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let head =
    "HTTP/1.1 200 OK\r\nx-amz-request-id: 4442587FB7D0A2F9\r\n"
    + "Date: Sat, 21 Nov 2026 16:00:00 GMT\r\nLast-Modified: Sat, 21 Nov 2026 15:00:00 GMT\r\n"
    + "ETag: \"0f343b0931126a20f133d67c2b018a3b\"\r\nx-amz-meta-kvs-write-id: 1x9hsn2k\r\n"
    + "Accept-Ranges: bytes\r\nContent-Type: text/plain\r\nServer: AmazonS3\r\n"
    + "Content-Length: 1024\r\n\r\n"
  private static let answer = ByteBuffer(string: head + String(repeating: "v", count: 1024))
  private static let end = Array("\r\n\r\n".utf8)

  /// How much of the empty line has been seen.
  private var matched = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var answers = 0
    for byte in unwrapInboundIn(data).readableBytesView {
      if byte == Self.end[matched] {
        matched += 1
      } else {
        matched = byte == Self.end[0] ? 1 : 0
      }
      if matched == Self.end.count {
        matched = 0
        answers += 1
      }
    }
    for _ in 0..<answers { context.write(wrapOutboundOut(Self.answer), promise: nil) }
    if answers > 0 { context.flush() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
