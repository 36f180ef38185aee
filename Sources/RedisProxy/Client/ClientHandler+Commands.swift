import NIOCore
import RESP

/// Commands on their way to shared connections.
extension ClientHandler {
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
  var isNextSilent: Bool {
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
  func refuse(_ failure: UpstreamFailure) {
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
}
