import NIOCore
import RESP

/// The connection that is the client's own for a while, and what goes there.
extension ClientHandler {
  func becomePinned(_ pin: ClientSession.Pin) -> Step {
    if own == nil {
      let connections = lane.pool(key(.primary)).own
      guard let upstream = connections.take(for: self) else {
        wait = .own
        connections.request(for: self, until: lane.now + lane.configuration.connectTimeout)
        return .blocked
      }
      own = upstream
      ownPool = connections
    }
    guard let own else { return .blocked }
    session.pinned(pin)
    lane.metrics.pins += 1
    if pin == .tunnel { enterTunnel(own) }
    return .done
  }

  /// The connection that was asked for is there, or none can be had.
  func ownReady(_ result: Result<Upstream, UpstreamFailure>, from connections: OwnConnections) {
    wait = .none
    switch result {
    case .success(let upstream):
      own = upstream
      ownPool = connections
    case .failure(let failure): refuse(failure)
    }
    lane.advanceLater(self)
  }

  private func enterTunnel(_ upstream: Upstream) {
    if name.readableBytes > 0 {
      upstream.sendInternal(RESPCommand("CLIENT", "SETNAME", .bytes(name)))
    }
    upstream.becomeTunnel(of: self)
  }

  /// - Parameter command: nil if it is long: then its pieces follow.
  func sendToOwn(
    _ command: ClientInput.Complete?, _ index: Int, _ entry: CommandTable.Entry,
    _ kind: CommandKind, blocks: Bool
  ) -> Step {
    guard let own else { return .blocked }
    guard own.isWritable else {
      own.whenWritable(self)
      return .blocked
    }
    // `WAIT` is about what this connection has done last, and that has to be after the writes that
    // the client sent on others. Within a transaction it would be one more command.
    if case .waitForReplicas = kind, !session.isQueueing {
      own.sendInternal(RESPCommand("PING"))
    }
    lane.metrics.count(index, .primary)
    var transaction: TransactionCommand?
    if case .transaction(let command) = kind { transaction = command }
    let isSilent = isNextSilent
    session.sent(kind, blocks: blocks)
    let continues = order.append(ObjectIdentifier(own))
    if !entry.isRead, lane.tracksWrites { freshness.wrote(order.expected) }
    own.send(
      command.map { input.take($0) } ?? ByteBuffer(), of: self, continues: continues,
      transaction: transaction, isSilent: isSilent, now: lane.clock)
    if command == nil { input.beginForwarding() }
    return .done
  }

  /// Forwards what has come of a long command.
  func forwardMore() -> Step {
    guard let own else { return .blocked }
    guard own.isWritable else {
      own.whenWritable(self)
      return .blocked
    }
    do throws(RESPScanError) {
      if let piece = try input.takePiece() { own.sendPiece(piece) }
    } catch {
      // The server has a part of it: nothing but the end of the connection is understood.
      close()
      return .blocked
    }
    return input.isForwarding ? .starved : .done
  }

  /// Passes on what comes, and looks for the end of it all: `RESET`.
  func tunnel() -> Step {
    guard let own else { return .blocked }
    guard own.isWritable else {
      own.whenWritable(self)
      return .blocked
    }
    do throws(RESPScanError) {
      switch try input.front() {
      case .incomplete: return .starved
      case .long:
        input.beginForwarding()
        return .done
      case .complete(let command):
        let index = input.index(in: lane.table, command.name)
        lane.metrics.count(index, .primary)
        if case .session(.reset) = lane.table.entries[index].kind,
          input.words(of: command).count == 1
        {
          // What follows belongs to the connections that others use, too.
          wait = .session
          own.expectReset()
        }
        own.sendPiece(input.take(command))
        return .done
      }
    } catch {
      protocolError(error)
      return .starved
    }
  }

  /// The server has answered `RESET`, and the client has that: nothing of it is left there. The
  /// connection is not used again: the proxy's own login is gone, too.
  func tunnelEnded() {
    wait = .none
    if let own { ownPool?.drop(own) }
    (own, ownPool) = (nil, nil)
    session.pinned(.none)
    forget()
    lane.advanceLater(self)
  }

  /// The server did not want to: the connection stays what it is.
  func tunnelGoesOn() {
    wait = .none
    lane.advanceLater(self)
  }
}
