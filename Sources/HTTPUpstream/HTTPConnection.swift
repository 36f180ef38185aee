import NIOCore
import NIOHTTP1
import NIOTLS

/// One connection: carries one exchange at a time, and is free in between.
///
/// Lives on the event loop of its channel, as its ``HTTPLane`` does.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  enum Phase {
    case opening
    case idle
    case busy(HTTPExchange)
    /// Reads what nobody wants, so many bytes of it at most.
    case draining(Int)
    case closed
  }

  static let pieceBytes = 128 << 10

  let lane: HTTPLane
  let configuration: HTTPUpstreamConfiguration
  private let waitsForTLS: Bool
  var context: ChannelHandlerContext?
  var phase = Phase.opening
  /// When the connection closes unless something happens.
  var deadline: NIODeadline?
  /// What is waited for until then.
  var awaited = "TLS"
  /// How many exchanges it has carried to their end.
  var served = 0
  var wantsRead = true
  /// Since when the task that reads an answer has not kept up.
  var pausedSince: NIODeadline?
  var isSending = false
  var isRequestSent = false
  var hasHead = false
  var keepsAlive = false
  private var reason: (any Error)?

  init(lane: HTTPLane, configuration: HTTPUpstreamConfiguration, waitsForTLS: Bool) {
    self.lane = lane
    self.configuration = configuration
    self.waitsForTLS = waitsForTLS
  }

  func expect(_ what: String, within timeout: Duration) {
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

  func becomeIdle() {
    phase = .idle
    wantsRead = true
    expect("a request", within: configuration.idleTimeout)
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

  func end(_ exchange: HTTPExchange, _ kind: HTTPUpstreamError.Kind, _ message: String) {
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
