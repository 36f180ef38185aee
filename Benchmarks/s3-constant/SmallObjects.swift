import NIOCore

/// Looks for the empty line at the end of each head, and nothing else.
final class SmallObjects: ChannelInboundHandler {
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
