import NIOCore
import NIOHTTP1

extension HTTPConnection {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), phase) {
    case (.head(let head), .busy(let exchange)) where !hasHead: receive(head, exchange)
    case (.body(let part), .busy(let exchange)) where hasHead:
      expect("more of an answer", within: configuration.bodyIdleTimeout)
      wantsRead = exchange.receive(part)
      if !wantsRead {
        deadline = nil
        pausedSince = pausedSince ?? lane.eventLoop.now
      }
    case (.body(let part), .draining(let room)):
      if part.readableBytes > room { close() } else { phase = .draining(room - part.readableBytes) }
    case (.end, .busy(let exchange)) where hasHead:
      finish { exchange.receiveEnd() }
    case (.end, .draining): finish {}
    case (_, .closed): break
    default: close(for: HTTPParserError.unknown)
    }
  }

  private func receive(_ head: HTTPResponseHead, _ exchange: HTTPExchange) {
    hasHead = true
    guard head.hasKnownEnd(after: exchange.request.method) else {
      return end(
        exchange, .malformed,
        "was answered with a body of unknown length, which could end early unnoticed")
    }
    keepsAlive = head.isKeepAlive && isRequestSent
    expect("more of an answer", within: configuration.bodyIdleTimeout)
    exchange.receive(head)
  }

  /// The answer is whole.
  private func finish(_ tell: () -> Void) {
    served += 1
    if keepsAlive, context?.channel.isActive == true {
      becomeIdle()
      tell()
      lane.release(self)
    } else {
      phase = .closed
      tell()
      close()
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // Asked before the event loop turns to the next socket, this costs no system call.
    if wantsRead { context.read() }
    context.fireChannelReadComplete()
  }

  func goOnReading(for exchange: HTTPExchange) {
    guard case .busy(let current) = phase, current === exchange, !wantsRead else { return }
    wantsRead = true
    pausedSince = nil
    expect("more of an answer", within: configuration.bodyIdleTimeout)
    context?.read()
  }

  /// Whether its reader has stopped for so long that it can give way to others.
  func isPaused(at now: NIODeadline) -> Bool {
    guard case .busy = phase, let pausedSince, let limit = configuration.pauseLimit else {
      return false
    }
    return pausedSince + TimeAmount(limit) <= now
  }

  /// Closes for the sake of others that wait.
  func giveWay() {
    guard case .busy(let exchange) = phase else { return }
    end(exchange, .gaveWay, "was not read on while others waited for its connection")
  }
}

extension HTTPResponseHead {
  /// Whether the end of the body can be told from the end of the connection.
  fileprivate func hasKnownEnd(after method: HTTPMethod) -> Bool {
    if method == .HEAD || [204, 304].contains(status.code) { return true }
    return headers.contains(name: "content-length") || headers.contains(name: "transfer-encoding")
  }
}
