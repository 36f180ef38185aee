import NIOCore
import NIOPosix

/// Says back what it is told, and "bye" when the other side has said all.
///
/// - Parameter answer: said instead, to whatever comes.
func withEchoServer<Result>(
  host: String = "127.0.0.2", answer: String? = nil, _ body: (_ port: Int) async throws -> Result
) async throws -> Result {
  let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .childChannelOption(.allowRemoteHalfClosure, value: true)
    .childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(Echo(answer))
      }
    }
    .bind(host: host, port: 0).get()
  do {
    let result = try await body(listener.localAddress?.port ?? 0)
    try await listener.close()
    return result
  } catch {
    try await listener.close()
    throw error
  }
}

private final class Echo: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let answer: String?

  init(_ answer: String?) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = answer.map { ByteBuffer(string: $0) } ?? unwrapInboundIn(data)
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case ChannelEvent.inputClosed = event else { return }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "bye")), promise: nil)
    context.close(mode: .output, promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
