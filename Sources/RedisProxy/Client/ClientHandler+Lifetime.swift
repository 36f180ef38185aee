import NIOCore

/// How a client begins and ends.
extension ClientHandler {
  /// How long a client that is to be closed has for taking the replies that were written.
  static let linger = TimeAmount.seconds(60)

  /// There is room for it now.
  func admitted() {
    guard wait == .admission else { return }
    wait = .none
    isAdmitted = true
    // A channel that is not active yet reads when it is.
    resumeReading()
    lane.advanceLater(self)
  }

  /// There was no room for too long.
  func refuseAdmission() {
    guard let context else { return }
    let text = ByteBuffer(string: "-ERR max number of clients reached\r\n")
    context.write(wrapOutboundOut(text), promise: nil)
    finish()
  }

  /// No more commands will come: what has been received is done, and the client closed when it has
  /// all its replies.
  func end(_ ending: Ending) {
    guard !isGone else { return }
    if self.ending == .none || ending == .inputClosed, self.ending != .discarding {
      self.ending = ending
    }
    lane.readClock()
    advance()
    // As a server does: what waits for others must not be given to nobody, and what lasts as long
    // as the connection has no end of its own.
    if session.pin == .tunnel || session.isWaiting { return finish() }
    settle()
  }

  /// Does nothing of what has not been sent on yet.
  func discardInput() {
    ending = .discarding
    input.clear()
    isStarved = true
    settle()
  }

  /// Gives back what is not needed any more once all replies have come, and closes when nothing
  /// that was received can lead to a further one.
  func settle() {
    guard !isGone, !isFinishing else { return }
    if order.outstanding == 0 {
      session.settled()
      if own != nil, wait == .none, !session.isFresh, isOwnClean {
        giveBackOwn()
      }
      if own == nil, session.pin == .tunnel { return finish() }
    }
    guard ending != .none, isStarved, wait == .none else { return }
    // The end of a command that was half sent on will never come, and so no reply to it.
    let unanswerable = ending == .inputClosed && input.isForwarding ? 1 : 0
    guard order.outstanding <= unanswerable else { return }
    if ending == .draining, input.isForwarding { return }
    finish()
  }

  /// Closes when all that was written has been taken.
  func finish() {
    guard !isFinishing, !isGone, let context else { return }
    isFinishing = true
    ending = .discarding
    releaseOwn()
    input.clear()
    // Nothing more is passed on to it.
    releaseStalls()
    hasUnflushed = false
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in self.close() }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    guard !isGone else { return }
    lingering = context.eventLoop.assumeIsolated().scheduleTask(in: Self.linger) { self.close() }
  }

  // MARK: Its own connection

  /// Whether its own connection can go to another client.
  var isOwnClean: Bool {
    guard order.outstanding == 0, !input.isForwarding, let own, own.isIdle else { return false }
    switch session.pin {
    case .none, .once: return true
    case .transaction: return session.transaction.isOver
    case .tunnel: return false
    }
  }

  func releaseOwn() {
    guard let own, let ownPool else { return }
    let isClean = isOwnClean
    (self.own, self.ownPool) = (nil, nil)
    if isClean { ownPool.giveBack(own) } else { ownPool.drop(own) }
  }

  func giveBackOwn() {
    releaseOwn()
    session.pinned(.none)
  }

  // MARK: Connections that wait for it

  /// Lets those connections go on that this client can take more of.
  func releaseStalls() {
    guard !stalls.isEmpty else { return }
    let stalled = stalls
    stalls = []
    for upstream in stalled {
      if isGone || isFinishing || takesMore(from: upstream) {
        upstream.resume()
      } else {
        stalls.append(upstream)
      }
    }
  }

  private func takesMore(from upstream: Upstream) -> Bool {
    guard context?.channel.isWritable == true else { return false }
    return order.heldBytes <= ProxyLane.heldLimit || order.isTurn(of: ObjectIdentifier(upstream))
  }
}
