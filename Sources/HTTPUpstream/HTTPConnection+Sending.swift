import NIOCore
import NIOHTTP1

extension HTTPConnection {
  /// Whether it can carry an exchange.
  var isFree: Bool {
    if case .idle = phase { context?.channel.isActive == true } else { false }
  }

  /// False if the exchange is over, or the connection is.
  func start(_ exchange: HTTPExchange) -> Bool {
    guard case .idle = phase, let context, context.channel.isActive,
      exchange.attach(to: NIOLoopBound(self, eventLoop: lane.eventLoop))
    else { return false }
    phase = .busy(exchange)
    (isRequestSent, hasHead, keepsAlive, wantsRead) = (false, false, false, true)
    pausedSince = nil
    let head = exchange.request.head(for: configuration.origin)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    sendMore()
    return true
  }

  /// Sends what there is of the request for as long as the socket takes it.
  func sendMore() {
    guard !isSending, !isRequestSent, !hasHead else { return }
    isSending = true
    defer { isSending = false }
    // A write may end in this handler again before it returns.
    while case .busy(let exchange) = phase, let context, !isRequestSent {
      guard context.channel.isWritable else {
        return expect("it takes the request", within: configuration.bodyIdleTimeout)
      }
      switch exchange.takeOutgoing(upTo: Self.pieceBytes) {
      case .part(let part):
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(part))), promise: nil)
      case .nothingYet:
        deadline = nil
        return context.flush()
      case .end:
        isRequestSent = true
        expect(
          "an answer", within: exchange.request.answerTimeout ?? configuration.answerTimeout)
        if let last = exchange.request.deadline { deadline = min(deadline ?? last, last) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { sendMore() }
    context.fireChannelWritabilityChanged()
  }
}
