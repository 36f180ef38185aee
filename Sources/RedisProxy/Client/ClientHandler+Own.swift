import NIOCore
import RESP

/// The connection that is the client's own for a while, and what goes there.
extension ClientHandler {
  func becomePinned(_ pin: ClientSession.Pin) -> Bool {
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

  func sendToOwn(_ index: Int, _ entry: CommandTable.Entry, isLong: Bool) -> Bool {
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
  func forwardMore() -> Bool {
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

  func tunnel() -> Bool {
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
