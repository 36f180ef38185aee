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

  /// Longer commands are forwarded while they arrive, on a connection of their own.
  static let longCommand = 64 << 10
  /// No more bytes are read while so many are waiting to be sent on.
  static let inputLimit = 128 << 10
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
  var input = ByteBuffer()
  var scanner = RESPCommandScanner()
  /// A long command has begun to be forwarded.
  var isForwarding = false

  var primary: Upstream?
  var reader: Upstream?
  var own: Upstream?
  var ownPool: UpstreamPool?
  var wait = Wait.none
  var waitDeadline = NIODeadline.distantPast
  var readsFromPrimaryUntil = NIODeadline.distantPast

  var isGone = false
  /// No further commands; closes when all replies are out.
  var isEnding = false
  var isDirty = false
  var hasUnflushed = false
  /// Connections that wait for this client to read.
  var stalls: [Upstream] = []
  var isAdvancing = false
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
    var bytes = unwrapInboundIn(data)
    lane.readClock()
    if input.readableBytes == 0 {
      input = bytes
    } else {
      input.writeBuffer(&bytes)
    }
    advance()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // What is left must not keep a buffer that the transport would use again.
    if input.readableBytes == 0 { input = ByteBuffer() }
    if hasUnflushed { lane.flushLater(self) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event {
      // Replies to what it has sent still reach it.
      isEnding = true
      advance()
      switch session.pin {
      // As a server does: what it waits for must not be given to nobody.
      case .once, .tunnel: close()
      case .none, .transaction: settle()
      }
    }
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
    guard !isEnding, wait != .admission else { return false }
    return input.readableBytes < Self.inputLimit && context?.channel.isWritable == true
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
    }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  func close() { context?.close(promise: nil) }

  /// Nothing of this client stays behind on any connection.
  private func leave() {
    guard !isGone else { return }
    isGone = true
    context = nil
    input = ByteBuffer()
    if let own {
      if isOwnClean { ownPool?.giveBack(own) } else { ownPool?.drop(own) }
    }
    (own, ownPool, primary, reader) = (nil, nil, nil, nil)
    releaseStalls()
    lane.left(self)
  }

  private func releaseStalls() {
    guard !stalls.isEmpty else { return }
    let stalled = stalls
    stalls = []
    for upstream in stalled { upstream.resume() }
  }

  /// Whether its own connection can go to another client.
  var isOwnClean: Bool {
    guard order.outstanding == 0, !isForwarding, let own, own.isIdle else { return false }
    switch session.pin {
    case .none, .once: return true
    case .transaction: return session.transaction.isOver
    case .tunnel: return false
    }
  }
}
