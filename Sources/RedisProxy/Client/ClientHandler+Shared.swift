import NIOCore
import RESP

/// Commands on their way to shared connections.
extension ClientHandler {
  /// Sends a command on a shared connection.
  func share(
    _ command: ClientInput.Complete, _ index: Int, _ entry: CommandTable.Entry
  ) -> Step {
    var role = UpstreamRole.primary
    if lane.splitsReads, entry.isRead, !freshness.needsPrimary(at: lane.clock) { role = .reader }
    guard let upstream = usable(role) else { return .blocked }
    guard upstream.isWritable else {
      upstream.whenWritable(self)
      return .blocked
    }
    lane.metrics.count(index, upstream.key.role)
    let isSilent = isNextSilent
    let continues = order.append(ObjectIdentifier(upstream))
    if !entry.isRead, lane.tracksWrites { freshness.wrote(order.expected) }
    upstream.send(
      input.take(command), of: self, continues: continues, isSilent: isSilent, now: lane.clock)
    return .done
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
      let shared = lane.pool(key(.reader)).shared
      if let found = shared.usable() {
        reader = found
        return found
      }
      if shared.isHopeful {
        // The first connections are being made: that takes a moment.
        waitForShared(shared)
        return wait == .none ? reader : nil
      }
      shared.connect()
      lane.metrics.replicaFallbacks += 1
    }
    if let primary, primary.isSharable { return primary }
    if primary != nil, order.outstanding > 0 {
      // Commands on the old connection first.
      return nil
    }
    let shared = lane.pool(key(.primary)).shared
    if let found = shared.usable() {
      primary = found
      return found
    }
    waitForShared(shared)
    return nil
  }

  private func waitForShared(_ shared: SharedConnections) {
    wait = .shared
    waitDeadline = lane.now + lane.configuration.connectTimeout
    lane.metrics.waits += 1
    shared.wait(self)
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
    reply(.simpleError(failure.reply(.primary)))
    if !input.isForwarding, case .complete(let command)? = try? input.front() {
      switch lane.table.entries[input.index(in: lane.table, command.name)].kind {
      // What follows must not run outside of the transaction.
      case .transaction(.multi), .transaction(.watch): discardInput()
      default: _ = input.take(command)
      }
    } else {
      // The rest of it is still to come, and nobody is there to take it.
      discardInput()
    }
  }
}
