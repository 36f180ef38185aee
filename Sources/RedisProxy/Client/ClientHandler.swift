import NIOCore
import RESP

/// One client: delimits its commands, sends each where it belongs, and gives the replies back in
/// order.
///
/// What it decides about a command is in ``ClientSession``; this performs it. A command stays in
/// the input until it can go, and is decided about again whenever something has changed.
final class ClientHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = Never
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  /// What the next command waits for; replies and room are looked at again without a note here.
  enum Wait { case none, admission, shared, own, session }

  /// How the client comes to its end.
  enum Ending {
    case none
    /// The proxy stops: what has been received is still done.
    case draining
    /// The client sends no more: what has been received is still done.
    case inputClosed
    /// No further commands, whatever has been received.
    case discarding
  }

  /// Commands of one client under way.
  static let outstandingLimit = 1024

  let lane: ProxyLane
  let number: Int
  var context: ChannelHandlerContext?

  // What the client has told about itself.
  var identity = ClientIdentity.proxy
  var version = RESPVersion.two
  var database = 0
  var name = ByteBuffer()
  var library = ""
  var libraryVersion = ""
  let connectedAt: NIODeadline
  var repliesAreOff = false
  var skipsNextReply = false

  var session = ClientSession()
  var order = ReplyOrder<ObjectIdentifier>()
  var input = ClientInput()
  /// Nothing can go on before more bytes have come.
  var isStarved = true

  var primary: Upstream?
  var reader: Upstream?
  var own: Upstream?
  var ownPool: OwnConnections?
  var wait = Wait.none
  var waitDeadline = NIODeadline.distantPast
  var freshness = ReadYourWrites()

  /// It counts against the limit of clients.
  var isAdmitted = false
  var ending = Ending.none
  /// It is closed as soon as it has taken what was written.
  var isFinishing = false
  var isGone = false
  var isDirty = false
  var hasUnflushed = false
  /// Connections that wait for this client to read.
  var stalls: [Upstream] = []
  var isAdvancing = false
  var lingering: Scheduled<Void>?
  private var isReadSuppressed = false

  init(lane: ProxyLane, number: Int) {
    self.lane = lane
    self.number = number
    connectedAt = lane.now
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    lane.admit(self)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard ending != .discarding else { return }
    lane.readClock()
    input.append(unwrapInboundIn(data))
    advance()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // What is left must not keep a buffer that the transport would use again.
    input.releaseIfEmpty()
    if hasUnflushed { lane.flushLater(self) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Replies to what it has sent still reach it.
    if case ChannelEvent.inputClosed = event { end(.inputClosed) }
    context.fireUserInboundEventTriggered(event)
  }

  func read(context: ChannelHandlerContext) {
    if shouldRead {
      context.read()
    } else {
      isReadSuppressed = true
    }
  }

  private var shouldRead: Bool {
    guard wait != .admission, !isFinishing, ending != .discarding else { return false }
    // The rest of a command that is half sent on is the only way to its reply.
    guard ending == .none || input.isForwarding else { return false }
    return input.count < ClientInput.limit && context?.channel.isWritable == true
  }

  func resumeReading() {
    guard isReadSuppressed, shouldRead else { return }
    isReadSuppressed = false
    context?.read()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      releaseStalls()
      advance()
      settle()
    }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  /// At once, whatever has not been written yet. With TLS it takes a moment until the client is gone,
  /// in which nothing is done for it any more.
  func close() {
    guard let context else { return }
    (isFinishing, ending) = (true, .discarding)
    input.clear()
    releaseStalls()
    context.close(promise: nil)
  }

  /// Nothing of this client stays behind on any connection.
  private func leave() {
    guard !isGone else { return }
    isGone = true
    lingering?.cancel()
    context = nil
    releaseOwn()
    input.clear()
    (primary, reader) = (nil, nil)
    releaseStalls()
    lane.left(self)
  }
}
