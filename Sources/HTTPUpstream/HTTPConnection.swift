import NIOCore
import NIOHTTP1
import NIOTLS

/// One connection: carries one exchange at a time, and is free in between.
///
/// Lives on the event loop of its channel, as its ``HTTPLane`` does.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private enum Phase {
    case opening
    case idle
    case busy(HTTPExchange)
    /// Reads what nobody wants, so many bytes of it at most.
    case draining(Int)
    case closed
  }

  private static let pieceBytes = 128 << 10

  private let lane: HTTPLane
  private let configuration: HTTPUpstreamConfiguration
  private let waitsForTLS: Bool
  private var context: ChannelHandlerContext?
  private var phase = Phase.opening
  /// When the connection closes unless something happens.
  private(set) var deadline: NIODeadline?
  /// What is waited for until then.
  private var awaited = "TLS"
  /// How many exchanges it has carried to their end.
  private var served = 0
  private var wantsRead = true
  /// Since when the task that reads an answer has not kept up.
  private var pausedSince: NIODeadline?
  private var isSending = false
  private var isRequestSent = false
  private var hasHead = false
  private var keepsAlive = false
  private var reason: (any Error)?

  init(lane: HTTPLane, configuration: HTTPUpstreamConfiguration, waitsForTLS: Bool) {
    self.lane = lane
    self.configuration = configuration
    self.waitsForTLS = waitsForTLS
  }

  private func expect(_ what: String, within timeout: Duration) {
    awaited = what
    deadline = lane.eventLoop.now + TimeAmount(timeout)
  }

  // MARK: Opening

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    lane.add(self)
    if waitsForTLS {
      expect("TLS", within: configuration.connectTimeout)
    } else {
      becomeReady(context)
    }
    context.fireChannelActive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent {
      // Cannot fail on a channel that is open.
      try? context.channel.syncOptions?.setOption(.autoRead, value: false)
      becomeReady(context)
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func becomeReady(_ context: ChannelHandlerContext) {
    guard case .opening = phase else { return }
    becomeIdle()
    context.read()
    lane.opened(self)
  }

  private func becomeIdle() {
    phase = .idle
    wantsRead = true
    expect("a request", within: configuration.idleTimeout)
  }

  // MARK: Sending

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

  // MARK: Receiving

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

  // MARK: The end

  /// The task of an exchange has gone.
  func letGo(_ exchange: HTTPExchange, drains: Bool) {
    guard case .busy(let current) = phase, current === exchange else { return }
    guard drains, hasHead, keepsAlive else { return close() }
    phase = .draining(configuration.drainBytes)
    wantsRead = true
    expect("the rest of an answer", within: .seconds(1))
    context?.read()
  }

  /// Called when the deadline has passed.
  func expire() {
    deadline = nil
    if case .busy(let exchange) = phase {
      end(exchange, .timedOut, "waited too long: expected that \(awaited) comes")
    } else {
      close(for: ChannelError.connectTimeout(TimeAmount(configuration.connectTimeout)))
    }
  }

  private func end(_ exchange: HTTPExchange, _ kind: HTTPUpstreamError.Kind, _ message: String) {
    exchange.fail(exchange.error(kind, message))
    close()
  }

  func close(for error: (any Error)? = nil) {
    reason = reason ?? error
    context?.close(promise: nil)
  }

  func closeIfIdle() {
    if case .idle = phase { close() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { close(for: error) }

  func channelInactive(context: ChannelHandlerContext) {
    let previous = phase
    phase = .closed
    lane.remove(self)
    switch previous {
    case .opening: lane.couldNotConnect(reason ?? ChannelError.eof)
    case .busy(let exchange): lose(exchange)
    case .idle, .draining, .closed: break
    }
    context.fireChannelInactive()
  }

  private func lose(_ exchange: HTTPExchange) {
    if served > 0, !hasHead, exchange.detach() { return lane.restart(exchange) }
    if reason is HTTPParserError, !hasHead {
      exchange.fail(exchange.error(.malformed, "got no HTTP for an answer", cause: reason))
    } else {
      let place = hasHead ? "in the middle of the answer" : "before an answer"
      exchange.fail(
        exchange.error(.closed, "lost its connection \(place)", cause: reason))
    }
  }
}

extension HTTPResponseHead {
  /// Whether the end of the body can be told from the end of the connection.
  fileprivate func hasKnownEnd(after method: HTTPMethod) -> Bool {
    if method == .HEAD || [204, 304].contains(status.code) { return true }
    return headers.contains(name: "content-length") || headers.contains(name: "transfer-encoding")
  }
}
