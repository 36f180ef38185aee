import NIOCore
import NIOHTTP1

/// One connection, between the parser of requests and the task that answers them.
///
/// All of it happens on the connection's event loop. The task asks for the next head, the next bytes
/// of a body, or room to write; what is there is given at once, for the rest one waiter each is
/// kept. See the extensions for reading, writing, and the limits in time.
final class HTTPConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What the client's side of the connection has come to.
  enum Inbound {
    case open
    /// The client sends no more.
    case ended
    /// What it sent last is not HTTP, or too much.
    case failed(HTTPParserError)
  }

  /// What the answer to the current request has come to.
  enum Outbound {
    /// No answer is under way.
    case idle
    /// The request is there, its answer has not begun.
    case awaited
    /// The head, which waits for bytes to go with, and how many bytes of content follow.
    case streaming(head: ByteBuffer?, remaining: Remaining)
    /// The last answer of this connection is on its way.
    case closing
  }

  enum Remaining {
    case bytes(Int)
    /// As many as come, in chunks.
    case chunked
    /// As many as come, to the end of the connection (HTTP/1.0).
    case untilClose
    /// None are sent, whatever is written: the answer to a HEAD.
    case none
  }

  let channel: any Channel
  let limits: HTTPServerLimits
  let entry: HTTPConnections.Entry
  let meter: HTTPHeadMeter
  /// Told of answers that the service knows nothing of.
  let onRefusal: @Sendable (HTTPResponseStatus) -> Void
  var context: ChannelHandlerContext?

  // Reading.
  var inbound = Inbound.open
  var inbox = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 4)
  /// Bytes of bodies, heads and ends in the inbox.
  var inboxBytes = 0
  var inboxHeads = 0
  var inboxEnds = 0
  var isReadHeld = false
  /// The request that is being answered.
  var request: HTTPRequestHead?
  /// Whether the task has seen the end of its body.
  var isRequestRead = true
  var needsContinue = false
  /// Whether the request may be answered with anything but a refusal.
  var isSound = true
  var headWaiter: CheckedContinuation<HTTPRequestHead?, Never>?
  var bodyWaiter: CheckedContinuation<ByteBuffer?, any Error>?

  // Writing.
  var outbound = Outbound.idle
  /// This is the connection's last request.
  var isLast = false
  var isStopping = false
  var isClosed = false
  /// The client has ended its side.
  var isInputClosed = false
  /// The client has not taken all of the last answer; somebody looks out for the end of it.
  var isDraining = false
  /// The connection's task while it runs.
  var task: UnsafeCurrentTask?
  var writeWaiter: CheckedContinuation<Void, any Error>?
  var date: (second: Int64, text: String) = (.min, "")

  // Limits in time.
  var timer: Scheduled<Void>?
  let opened = NIODeadline.now()
  var lastRead = NIODeadline.now()
  var lastWrite = NIODeadline.now()
  /// How much was unsent when the client last had no time left to take it.
  var lastUnsent: Int?
  /// When the connection began to linger for a client that still sends.
  var lingerStart: NIODeadline?

  init(
    _ channel: any Channel, limits: HTTPServerLimits, entry: HTTPConnections.Entry,
    meter: HTTPHeadMeter, onRefusal: @escaping @Sendable (HTTPResponseStatus) -> Void
  ) {
    self.channel = channel
    self.limits = limits
    self.entry = entry
    self.meter = meter
    self.onRefusal = onRefusal
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    setTimer(at: .now() + min(limits.headTimeout, limits.idleTimeout))
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  /// The connection is gone: whoever waits learns of it.
  private func end() {
    isClosed = true
    timer?.cancel()
    timer = nil
    inbox.removeAll()
    // Nobody is there to be answered: what the service waits for is in vain.
    switch outbound {
    case .awaited, .streaming: task?.cancel()
    case .idle, .closing: break
    }
    headWaiter.take()?.resume(returning: nil)
    bodyWaiter.take()?.resume(throwing: HTTPFault.closed)
    writeWaiter.take()?.resume(throwing: HTTPFault.closed)
  }

  /// Ends the connection at once: what was not sent yet never is.
  func close() { context?.close(promise: nil) }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      inboundEnded(.ended)
    case is ChannelShouldQuiesceEvent:
      isStopping = true
      // Unless a request is on its way.
      if headWaiter != nil, meter.start == nil { closeWhenSent() }
    case let eviction as HTTPConnections.Eviction:
      if mayBeEvicted { close() } else { eviction.spare() }
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError {
      inboundEnded(.failed(error))
    } else if !(error is ByteToMessageDecoderError) || !meter.isOver {
      close()
    }
  }
}
