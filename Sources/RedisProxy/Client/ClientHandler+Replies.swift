import NIOCore
import RESP

extension ClientHandler {
  /// Takes replies of a connection, or a part of one.
  ///
  /// - Parameter replies: how many end in it; 0 in a tunnel.
  func deliver(_ piece: ByteBuffer, replies: Int, from upstream: Upstream) {
    guard !isGone, !isFinishing else { return }
    if session.pin == .tunnel {
      _ = order.written(replies)
      write(piece, from: upstream)
    } else if order.isTurn(of: ObjectIdentifier(upstream)) {
      write(piece, from: upstream)
      for next in order.written(replies) { write(next, from: nil) }
      if lane.tracksWrites {
        freshness.answered(order.answered, now: lane.clock, lasting: lane.readYourWrites)
      }
      // What was held has gone: who waited for that can go on.
      if !stalls.isEmpty { releaseStalls() }
    } else {
      order.hold(Self.compact(piece), replies: replies, from: ObjectIdentifier(upstream))
      if order.heldBytes > ProxyLane.heldLimit { upstream.stall(for: self) }
    }
    lane.flushLater(self)
  }

  /// A small slice as a copy, so that it does not keep a large buffer.
  private static func compact(_ piece: ByteBuffer) -> ByteBuffer {
    guard piece.readableBytes * 8 < piece.storageCapacity else { return piece }
    var copy = ByteBuffer()
    copy.writeImmutableBuffer(piece)
    return copy
  }

  private func write(_ piece: ByteBuffer, from upstream: Upstream?) {
    guard let context, piece.readableBytes > 0 else { return }
    hasUnflushed = true
    context.write(wrapOutboundOut(Self.compact(piece)), promise: nil)
    if let upstream, !context.channel.isWritable { upstream.stall(for: self) }
  }

  /// Puts a reply of the proxy itself in its place.
  func reply(_ bytes: ByteBuffer) {
    guard !isGone, !isFinishing else { return }
    if repliesAreOff { return }
    if skipsNextReply {
      skipsNextReply = false
      return
    }
    if !order.append(own: bytes) { write(bytes, from: nil) }
    lane.flushLater(self)
  }

  func reply(_ value: RESPValue) {
    var bytes = ByteBuffer()
    bytes.writeRESP(value, version: version)
    reply(bytes)
  }

  /// The client speaks no Redis protocol: it is told so, as Redis does, and closed.
  func protocolError(_ error: RESPScanError) {
    reply(.simpleError("ERR Protocol error: \(error.detail)"))
    discardInput()
  }

  /// Notes the reply to a command of a transaction.
  func receive(_ reply: Span<UInt8>, isError: Bool, to command: TransactionCommand) {
    session.receive(reply, isError: isError, to: command)
  }

  /// A connection has ended with commands of this client on it.
  func lost(_ upstream: Upstream, _ entry: ExpectedReply, isHalfway: Bool) {
    lane.metrics.lost += entry.count
    // A reply that has begun cannot be taken back.
    if isHalfway || session.pin == .tunnel { return close() }
    var bytes = ByteBuffer()
    if !entry.isSilent {
      for _ in 0..<entry.count {
        bytes.writeRESP(
          .simpleError(
            "ERR redis-proxy: the connection to the \(upstream.key.role.name) was lost before it "
              + "replied; the command may have been executed"))
      }
    }
    deliver(bytes, replies: entry.count, from: upstream)
  }

  /// Its own connection has ended by itself.
  func lostOwn(_ upstream: Upstream) {
    guard own === upstream else { return }
    wait = .none
    ownPool?.drop(upstream)
    (own, ownPool) = (nil, nil)
    let pin = session.pin
    let isOver = session.isFresh || session.isTransactionOver
    session.pinned(.none)
    if input.isForwarding || pin == .tunnel || (pin == .transaction && !isOver) {
      // What the connection remembered is gone, as if the server had closed it.
      discardInput()
      lane.flushLater(self)
    } else {
      lane.advanceLater(self)
    }
  }

  /// Sends what has come together, and goes on.
  func flush() {
    isDirty = false
    guard let context else { return }
    if hasUnflushed {
      hasUnflushed = false
      context.flush()
    }
    advance()
    settle()
  }
}
