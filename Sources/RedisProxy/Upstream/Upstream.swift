import NIOCore
import RESP

/// One connection to a server: takes commands of many clients, and hands each its replies.
///
/// Commands are copied into one buffer and sent once for each turn of the event loop; replies are
/// delimited, not parsed, and go to their clients as slices of what was received. It belongs to
/// one event loop, as all its clients do.
final class Upstream: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = Never
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  enum State { case settingUp, open, closed }

  /// Commands above this size are not copied.
  static let copyLimit = 16 << 10

  let key: UpstreamKey
  let lane: ProxyLane
  let address: SocketAddress
  /// On the event loop's clock: from then on it takes no further commands.
  let retireAt: NIODeadline
  let openedAt: NIODeadline

  var state = State.settingUp
  var greeting = Greeting()
  /// Takes no further commands, and closes when it has answered those it has.
  var isRetiring = false
  /// A client that does not read its replies keeps it from going on.
  var stalledBy: ClientHandler?
  var stalledSince = NIODeadline.distantPast
  /// Since when nobody uses it, for idle connections.
  var idleSince = NIODeadline.distantPast
  /// The only client of a connection of its own.
  var owner: ClientHandler?

  var setup: UpstreamSetup
  var whenReady: ((Result<Upstream, UpstreamFailure>) -> Void)?
  var parser = RESPParser()
  var expected = CircularBuffer<ExpectedReply>(initialCapacity: 16)
  var scanner = RESPReplyScanner()
  var rest = ByteBuffer()
  private var out = ByteBuffer()
  var context: ChannelHandlerContext?
  var blocked: [ClientHandler] = []
  private var isDirty = false
  var isTunnel = false
  /// In a tunnel: `RESET` was sent, and no reply to it has come.
  var expectsReset = false
  /// What waits for the reply to a question of the proxy itself.
  var inquiry: Inquiry?
  var hasStarted = false
  var isReadSuppressed = false
  var isReplyError = false
  var isReplyStatus = false
  var isPush = false

  init(
    key: UpstreamKey, lane: ProxyLane, address: SocketAddress, retireAt: NIODeadline,
    setup: UpstreamSetup, whenReady: @escaping (Result<Upstream, UpstreamFailure>) -> Void
  ) {
    self.key = key
    self.lane = lane
    self.address = address
    self.retireAt = retireAt
    openedAt = lane.now
    self.setup = setup
    self.whenReady = whenReady
  }

  /// Whether it takes commands of clients that share it.
  var isSharable: Bool { state == .open && !isRetiring && stalledBy == nil }
  var isOpen: Bool { state == .open }
  var isWritable: Bool { context?.channel.isWritable ?? false }
  var isIdle: Bool { expected.isEmpty && !scanner.isInReply }
  var pendingReplies: Int { expected.reduce(0) { $0 + $1.count } }

  // MARK: Commands

  /// Sends a command of a client.
  ///
  /// - Parameter continues: it belongs to the run of the client's last command here.
  func send(
    _ command: ByteBuffer, of client: ClientHandler, continues: Bool,
    transaction: TransactionCommand? = nil, isSilent: Bool = false, now: NIODeadline
  ) {
    expect(client, continues: continues, transaction, isSilent: isSilent, now: now)
    sendPiece(command)
  }

  /// Sends a command whose reply no client wants.
  func sendInternal(_ command: RESPCommand) {
    expect(nil, continues: false, nil, isSilent: true, now: lane.now)
    command.write(into: &out)
    markDirty()
  }

  /// Asks the server between the commands of clients; not while such a question is open.
  func ask(_ command: RESPCommand, _ then: @escaping (RESPValue) -> Void) {
    guard inquiry == nil, state == .open, owner == nil else { return }
    inquiry = Inquiry(then: then)
    expect(nil, continues: false, nil, isSilent: true, isInquiry: true, now: lane.now)
    command.write(into: &out)
    markDirty()
  }

  /// Sends a further part of the last command.
  func sendPiece(_ bytes: ByteBuffer) {
    if bytes.readableBytes <= Self.copyLimit {
      out.writeImmutableBuffer(bytes)
    } else {
      writeOut()
      out = ByteBuffer()
      context?.write(wrapOutboundOut(bytes), promise: nil)
    }
    markDirty()
  }

  private func expect(
    _ client: ClientHandler?, continues: Bool, _ transaction: TransactionCommand?,
    isSilent: Bool, isInquiry: Bool = false, now: NIODeadline
  ) {
    guard !isTunnel else { return }
    if continues, transaction == nil, !expected.isEmpty {
      let last = expected.index(before: expected.endIndex)
      let entry = expected[last]
      if entry.client === client, entry.transaction == nil, entry.isSilent == isSilent {
        expected[last].count += 1
        return
      }
    }
    expected.append(
      ExpectedReply(
        client: client, count: 1, transaction: transaction, isSilent: isSilent,
        isInquiry: isInquiry, sentAt: now))
  }

  /// From now on all that comes goes to this client as it is.
  func becomeTunnel(of client: ClientHandler) {
    owner = client
    isTunnel = true
  }

  /// The reply to what is sent next in the tunnel ends it.
  func expectReset() { expectsReset = true }

  /// Calls the client back when there is room for more commands.
  func whenWritable(_ client: ClientHandler) { blocked.append(client) }

  private func markDirty() {
    guard !isDirty else { return }
    isDirty = true
    lane.flushLater(self)
  }

  private func writeOut() {
    guard out.readableBytes > 0, let context else { return }
    context.write(wrapOutboundOut(out), promise: nil)
  }

  /// Sends what has come together.
  func flush() {
    isDirty = false
    guard let context, state != .closed else { return }
    writeOut()
    context.flush()
    // Unless the transport still holds it, the buffer is used again.
    if out.capacity > 1 << 20 { out = ByteBuffer() } else { out.clear() }
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    guard state == .open else { return receiveSetup(buffer) }
    if rest.readableBytes > 0 {
      rest.writeBuffer(&buffer)
      buffer = rest
      rest = ByteBuffer()
    }
    if isTunnel, expected.isEmpty { relay(buffer) } else { deliver(buffer) }
  }
}
