import NIOCore
import Synchronization

/// The request: the task puts its body in, the connection takes it out.
extension HTTPExchange {
  // MARK: The task

  /// Hands on what the source gives, as fast as the connection takes it, until it ends or the answer
  /// comes.
  func send(from source: (any HTTPUpstreamSource)?) async throws(HTTPUpstreamError) {
    var missing: Int? = if case .stream(let length) = request.body { length } else { 0 }
    while await isWanted() {
      let part: ByteBuffer?
      do {
        part = try await source?.next()
      } catch {
        throw brokenOff("cannot be sent: its body broke off", cause: error)
      }
      if let known = missing {
        missing = known - (part?.readableBytes ?? 0)
        if known < part?.readableBytes ?? 0 || (part == nil && known > 0) {
          throw brokenOff("cannot be sent: its body has another length than it should")
        }
      }
      guard let part else { return offerOutgoing(nil) }
      if part.readableBytes > 0 { offerOutgoing(part) }
    }
    // Without this a failure would look like an answer.
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  private func brokenOff(_ message: String, cause: (any Error)? = nil) -> HTTPUpstreamError {
    // The connection closes before the body is whole, which no server takes for a request.
    cancel()
    return HTTPUpstreamError(
      .sourceFailed, error(.sourceFailed, "").origin, "\(request.method) \(message)",
      mayHaveRun: false, cause: cause)
  }

  /// Waits for room. False once nothing more is wanted.
  private func isWanted() async -> Bool {
    let limit = limit
    await wait(with: \.writer) { state in
      state.isOver || state.head != nil
        || state.outgoing.reduce(0) { $0 + $1.readableBytes } < limit
    }
    return state.withLock { !$0.isOver && $0.head == nil }
  }

  private func offerOutgoing(_ part: ByteBuffer?) {
    state.withLock { state in
      if let part { state.outgoing.append(part) } else { state.isOutgoingWhole = true }
    }
    withConnection { $0.sendMore() }
  }

  // MARK: The connection

  enum Outgoing {
    case part(ByteBuffer)
    case nothingYet
    case end
  }

  /// Lets a connection carry it. False if it is over.
  func attach(to connection: NIOLoopBound<HTTPConnection>) -> Bool {
    state.withLock { state in
      guard !state.isOver else { return false }
      state.connection = connection
      state.wasSent = true
      return true
    }
  }

  /// Takes it off a connection that ended before any answer, to be sent once more.
  ///
  /// - Returns: false if it must not be sent again, or is over.
  func detach() -> Bool {
    state.withLock { state in
      state.connection = nil
      guard request.canBeSentAgain, !state.isOver, state.head == nil, state.restarts < 2 else {
        return false
      }
      state.restarts += 1
      if case .bytes(let buffers) = request.body { state.outgoing = CircularBuffer(buffers) }
      return true
    }
  }

  func takeOutgoing(upTo count: Int) -> Outgoing {
    let (outgoing, writer) = state.withLock {
      state -> (Outgoing, CheckedContinuation<Void, Never>?) in
      guard var part = state.outgoing.popFirst() else {
        return (state.isOutgoingWhole && state.failure == nil ? .end : .nothingYet, nil)
      }
      if part.readableBytes > count, let piece = part.readSlice(length: count) {
        state.outgoing.prepend(part)
        part = piece
      }
      defer { state.writer = nil }
      return (.part(part), state.writer)
    }
    writer?.resume()
    return outgoing
  }
}
