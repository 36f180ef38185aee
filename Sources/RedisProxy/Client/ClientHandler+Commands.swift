import NIOCore
import RESP

/// Commands from their arrival to the decision where they go.
extension ClientHandler {
  /// What came of the command at the front.
  enum Step {
    /// The next one may follow.
    case done
    /// It cannot go yet.
    case blocked
    /// It is not all there.
    case starved
  }

  /// Takes as many commands from the input as can go now.
  func advance() {
    guard !isAdvancing, !isGone, !isFinishing, wait == .none else { return }
    isAdvancing = true
    var step = Step.done
    while step == .done, !isGone, !isFinishing, wait == .none { step = self.step() }
    isStarved = step == .starved
    isAdvancing = false
    resumeReading()
  }

  private func step() -> Step {
    guard input.count > 0 else { return .starved }
    if input.isForwarding { return forwardMore() }
    if session.pin == .tunnel { return tunnel() }
    guard context?.channel.isWritable == true, order.outstanding < Self.outstandingLimit else {
      return .blocked
    }
    do throws(RESPScanError) {
      switch try input.front() {
      case .incomplete: return .starved
      case .complete(let command): return handle(command, named: command.name)
      case .long(let name): return handle(nil, named: name)
      }
    } catch {
      protocolError(error)
      return .starved
    }
  }

  /// Decides about the command at the front of the input, and performs that.
  ///
  /// - Parameter command: nil if it is too long to be kept until all of it has come.
  private func handle(_ command: ClientInput.Complete?, named name: Range<Int>) -> Step {
    let index = input.index(in: lane.table, name)
    let entry = lane.table.entries[index]
    var kind = entry.kind
    var blocks = false
    switch kind {
    case .blockingOnRequest: blocks = command.map { input.words(of: $0).contains("BLOCK") } ?? true
    case .session(.client): if let command { kind = self.kind(ofClient: input.words(of: command)) }
    case .script:
      guard let command else { break }
      let words = input.words(of: command)
      if words.has("DEBUG", at: 1), !words.has("NO", at: 2) { kind = .takesOver }
    default: break
    }
    let decision = session.decide(
      kind, blocks: blocks, isLong: command == nil, outstanding: order.outstanding)
    switch decision {
    case .share:
      guard let command else { return refuseLong() }
      returnUnusedOwn()
      return share(command, index, entry)
    case .own:
      if isEndingFor(kind, blocks: blocks) { return .starved }
      return sendToOwn(command, index, entry, kind, blocks: blocks)
    case .drain: return .blocked
    case .pin(let pin):
      if pin == .tunnel || session.waits(kind, blocks: blocks), isEnded() { return .starved }
      return becomePinned(pin)
    case .repin(let pin):
      if isEnded() { return .starved }
      session.repinned(pin)
      own?.becomeTunnel(of: self)
      return .done
    case .unpin:
      giveBackOwn()
      return .done
    case .answer(let session):
      guard let command else { return refuseLong() }
      returnUnusedOwn()
      lane.metrics.commands[index].own += 1
      answer(session, CommandArguments(input.take(command)))
      return .done
    case .refuseReplication:
      let text = "ERR redis-proxy: replication does not go through the proxy"
      guard let command else {
        // The rest of it is still to come, and nobody is there to take it.
        reply(.simpleError(text))
        discardInput()
        return .starved
      }
      _ = input.take(command)
      reply(.simpleError(text))
      return .done
    case .hangUp:
      discardInput()
      return .starved
    }
  }

  /// A connection that was asked for when the rest of a long command was still missing.
  private func returnUnusedOwn() {
    if own != nil, session.pin == .none { giveBackOwn() }
  }

  /// Nobody is there any more for whom something might be waited for.
  private func isEndingFor(_ kind: CommandKind, blocks: Bool) -> Bool {
    session.waits(kind, blocks: blocks) && isEnded()
  }

  /// Whether the client ends, in which case the rest of its commands is dropped.
  private func isEnded() -> Bool {
    guard ending != .none else { return false }
    discardInput()
    return true
  }

  private func refuseLong() -> Step {
    protocolError(.bulkTooLong)
    return .starved
  }
}
