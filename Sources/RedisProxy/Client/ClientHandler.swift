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
  private var isAdvancing = false
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

  // MARK: Commands

  /// Takes as many commands from the input as can go now.
  func advance() {
    guard !isAdvancing, !isGone, wait == .none else { return }
    isAdvancing = true
    while !isGone, wait == .none, input.readableBytes > 0, step() {}
    isAdvancing = false
    resumeReading()
  }

  /// Handles one command; false if it cannot go yet, or is not complete.
  private func step() -> Bool {
    if session.pin == .tunnel, !isForwarding { return tunnel() }
    if isForwarding { return forwardMore() }
    guard context?.channel.isWritable == true, order.outstanding < Self.outstandingLimit else {
      return false
    }
    do throws(RESPScanError) {
      switch try scanner.scan(input.readableBytesUInt8Span) {
      case .nothing:
        input.moveReaderIndex(forwardBy: scanner.length)
        scanner.reset()
        return true
      case .inline:
        try rewriteInline()
        return true
      case .command: return take(isLong: false)
      case .incomplete:
        guard input.readableBytes > Self.longCommand, scanner.hasName(in: input.readableBytes)
        else {
          // Enough for any line and any name.
          if input.readableBytes > 2 * Self.longCommand { throw .bulkTooLong }
          return false
        }
        return take(isLong: true)
      }
    } catch {
      protocolError(error)
      return false
    }
  }

  private func rewriteInline() throws(RESPScanError) {
    let length = scanner.length
    guard var line = input.readSlice(length: length) else { return }
    scanner.reset()
    line = line.getSlice(at: line.readerIndex, length: length - 1) ?? line
    if line.readableBytesView.last == 0x0D {
      line = line.getSlice(at: line.readerIndex, length: length - 2) ?? line
    }
    let words = try InlineCommand.words(line.readableBytesUInt8Span)
    guard !words.isEmpty else { return }
    var command = InlineCommand.encode(words)
    command.writeBuffer(&input)
    input = command
  }

  /// Decides about the command at the front of the input, and performs that.
  private func take(isLong: Bool) -> Bool {
    let index = lane.table.index(input.readableBytesUInt8Span, scanner.name)
    let entry = lane.table.entries[index]
    var kind = entry.kind
    var blocks = false
    switch kind {
    case .blockingOnRequest: blocks = !isLong && peek().contains("BLOCK", within: 8)
    case .session(.client): if !isLong { kind = self.kind(ofClient: peek()) }
    default: break
    }
    let decision = session.decide(
      kind, blocks: blocks, isLong: isLong, outstanding: order.outstanding)
    switch decision {
    case .share: return share(index, entry)
    case .own: return sendToOwn(index, entry, isLong: isLong)
    case .drain: return false
    case .pin(let pin): return becomePinned(pin)
    case .repin(let pin):
      session.repinned(pin)
      own?.becomeTunnel(of: self)
      return true
    case .unpin:
      giveBackOwn()
      return true
    case .answer(let command):
      guard !isLong else {
        protocolError(.bulkTooLong)
        return false
      }
      lane.metrics.commands[index].own += 1
      return answer(command)
    case .refuseReplication:
      answerError("ERR redis-proxy: replication does not go through the proxy")
      return true
    }
  }

  /// The command at the front, to look into.
  func peek() -> CommandArguments {
    CommandArguments(input.getSlice(at: input.readerIndex, length: scanner.length) ?? input)
  }

  /// Takes the command at the front away.
  @discardableResult
  func consume() -> ByteBuffer {
    let command = input.readSlice(length: scanner.length) ?? ByteBuffer()
    scanner.reset()
    return command
  }

  /// Sends the command at the front on a shared connection.
  private func share(_ index: Int, _ entry: CommandTable.Entry) -> Bool {
    var role = UpstreamRole.primary
    if lane.splitsReads, entry.isRead, readsFromPrimaryUntil <= lane.clock { role = .reader }
    guard let upstream = usable(role) else { return false }
    guard upstream.isWritable else {
      upstream.whenWritable(self)
      return false
    }
    if !entry.isRead, lane.splitsReads, lane.readYourWrites > .zero, upstream.key.role == .primary {
      readsFromPrimaryUntil = lane.clock + lane.readYourWrites
    }
    lane.metrics.count(index, upstream.key.role)
    let isSilent = isNextSilent
    let continues = order.append(ObjectIdentifier(upstream))
    upstream.send(
      consume(), of: self, continues: continues, isSilent: isSilent, now: lane.clock)
    return true
  }

  /// Whether the client has said that it does not want the next reply.
  private var isNextSilent: Bool {
    guard repliesAreOff || skipsNextReply else { return false }
    skipsNextReply = false
    return true
  }

  /// The connection for a role; nil while the client has to wait for one.
  private func usable(_ role: UpstreamRole) -> Upstream? {
    if role == .reader {
      if let reader, reader.isSharable { return reader }
      let pool = lane.pool(key(.reader))
      if let found = pool.sharable() {
        reader = found
        return found
      }
      if pool.isHopeful {
        // The first connections are being made: that takes a moment.
        waitForShared(pool)
        return wait == .none ? reader : nil
      }
      pool.connect()
      lane.metrics.replicaFallbacks += 1
    }
    if let primary, primary.isSharable { return primary }
    if primary != nil, order.outstanding > 0 {
      // Commands on the old connection first.
      return nil
    }
    let pool = lane.pool(key(.primary))
    if let found = pool.sharable() {
      primary = found
      return found
    }
    waitForShared(pool)
    return nil
  }

  private func waitForShared(_ pool: UpstreamPool) {
    wait = .shared
    waitDeadline = lane.now + lane.configuration.connectTimeout
    lane.metrics.waits += 1
    pool.wait(self)
  }

  func key(_ role: UpstreamRole) -> UpstreamKey {
    UpstreamKey(role: role, identity: identity, version: version, database: database)
  }

  /// There is a shared connection, or none can be had.
  func sharedReady(_ role: UpstreamRole, _ failure: UpstreamFailure?) {
    guard !isGone, wait == .shared else { return }
    wait = .none
    if let failure, role == .primary { refuse(failure) }
    lane.advanceLater(self)
  }

  /// Answers the command at the front with an error: it was not sent.
  private func refuse(_ failure: UpstreamFailure) {
    lane.metrics.refused += 1
    if isForwarding || scanner.length > input.readableBytes {
      // The rest of it is still to come, and nobody is there to take it.
      answerError(failure.reply(.primary), consuming: false)
      isEnding = true
      input.clear()
      settle()
    } else {
      answerError(failure.reply(.primary))
    }
  }

  // MARK: Own connection

  private func becomePinned(_ pin: ClientSession.Pin) -> Bool {
    if let own {
      session.pinned(pin)
      lane.metrics.pins += 1
      if pin == .tunnel { enterTunnel(own) }
      return true
    }
    wait = .own
    let pool = lane.pool(key(.primary))
    let deadline = lane.now + lane.configuration.connectTimeout
    acquireOwn(pool, until: deadline)
    return wait == .none
  }

  private func acquireOwn(_ pool: UpstreamPool, until deadline: NIODeadline) {
    pool.acquireOwn { [self] result in
      switch result {
      case .success(let upstream):
        guard !isGone else { return pool.giveBack(upstream) }
        own = upstream
        ownPool = pool
        upstream.owner = self
        wait = .none
        lane.advanceLater(self)
      case .failure(let failure):
        guard !isGone else { return }
        if case .unreachable = failure, lane.now < deadline {
          lane.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
            if !self.isGone { self.acquireOwn(pool, until: deadline) }
          }
          return
        }
        wait = .none
        refuse(failure)
        lane.advanceLater(self)
      }
    }
  }

  private func enterTunnel(_ upstream: Upstream) {
    if name.readableBytes > 0 {
      upstream.sendInternal(RESPCommand("CLIENT", "SETNAME", .bytes(name)))
    }
    upstream.becomeTunnel(of: self)
  }

  private func sendToOwn(_ index: Int, _ entry: CommandTable.Entry, isLong: Bool) -> Bool {
    guard let own else { return false }
    guard own.isWritable else {
      own.whenWritable(self)
      return false
    }
    if case .waitForReplicas = entry.kind { own.sendInternal(RESPCommand("PING")) }
    lane.metrics.count(index, .primary)
    if !entry.isRead, lane.readYourWrites > .zero {
      readsFromPrimaryUntil = lane.clock + lane.readYourWrites
    }
    var transaction: TransactionCommand?
    if case .transaction(let command) = entry.kind { transaction = command }
    let isSilent = isNextSilent
    session.sent()
    let continues = order.append(ObjectIdentifier(own))
    own.send(
      isLong ? ByteBuffer() : consume(), of: self, continues: continues, transaction: transaction,
      isSilent: isSilent, now: lane.clock)
    if isLong { isForwarding = true }
    return true
  }

  /// Forwards what has come of a long command.
  private func forwardMore() -> Bool {
    guard let own else { return false }
    guard own.isWritable else {
      own.whenWritable(self)
      return false
    }
    do throws(RESPScanError) {
      if try scanner.scan(input.readableBytesUInt8Span) == .command {
        own.sendPiece(consume())
        isForwarding = false
        return true
      }
    } catch {
      // The server has a part of it: nothing but the end of the connection is understood.
      close()
      return false
    }
    let count = scanner.forwardable(of: input.readableBytes)
    if count > 0, let piece = input.readSlice(length: count) {
      own.sendPiece(piece)
      scanner.drop(count)
    }
    return false
  }

  private func tunnel() -> Bool {
    guard let own else { return false }
    guard own.isWritable else {
      own.whenWritable(self)
      return false
    }
    scanner.reset()
    own.sendPiece(input)
    input = ByteBuffer()
    return false
  }

  func giveBackOwn() {
    guard let own, let ownPool else { return }
    let isClean = isOwnClean
    session.pinned(.none)
    (self.own, self.ownPool) = (nil, nil)
    if isClean { ownPool.giveBack(own) } else { ownPool.drop(own) }
  }
}
