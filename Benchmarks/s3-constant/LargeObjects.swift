import NIOCore
import NIOHTTP1

/// Every object has 1 GiB, and every upload succeeds.
final class LargeObjects: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private static let objectBytes = 1 << 30
  private static let piece = ByteBuffer(repeating: 0, count: 1 << 18)

  private var request: HTTPRequestHead?
  private var unsent = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): request = head
    case .body: break
    case .end:
      if let request { answer(request, context) }
    }
  }

  private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let xml =
      switch request.method {
      case .POST where request.uri.contains("uploads"): "<R><UploadId>1</UploadId></R>"
      case .POST: "<R><ETag>\"0f343b0931126a20f133d67c2b018a3b-1\"</ETag></R>"
      default: ""
      }
    unsent = request.method == .GET ? Self.objectBytes : 0
    let head = HTTPResponseHead(
      version: .http1_1, status: .ok,
      headers: [
        "Content-Length": "\(max(unsent, xml.utf8.count))", "Accept-Ranges": "bytes",
        "ETag": "\"0f343b0931126a20f133d67c2b018a3b\"",
        "Last-Modified": "Sat, 21 Nov 2026 15:00:00 GMT", "Date": "Sat, 21 Nov 2026 16:00:00 GMT",
      ])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if unsent > 0 { return sendMore(context) }
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: xml)))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  private func sendMore(_ context: ChannelHandlerContext) {
    while unsent > 0, context.channel.isWritable {
      unsent -= Self.piece.readableBytes
      context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(Self.piece))), promise: nil)
      if unsent == 0 { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { sendMore(context) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
