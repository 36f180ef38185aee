import NIOCore
import NIOHTTP1
import Synchronization

/// The answer: the connection puts it in, the task takes it out.
extension HTTPExchange {
  // MARK: The task

  func head() async throws(HTTPUpstreamError) -> HTTPResponseHead {
    while true {
      let known = state.withLock { ($0.head, $0.failure) }
      // An answer that broke off has begun all the same: its body says how far it came.
      if let failure = known.1, known.0 == nil || failure.kind == .cancelled { throw failure }
      if let head = known.0 { return head }
      await wait(with: \.reader) { $0.head != nil || $0.failure != nil }
    }
  }

  func next() async throws(HTTPUpstreamError) -> ByteBuffer? {
    while true {
      let (outcome, resumes) = state.withLock { $0.take(limit: limit) }
      if resumes { withConnection { $0.goOnReading(for: self) } }
      switch outcome {
      case .part(let part): return part
      case .end: return nil
      case .failure(let error): throw error
      case .nothingYet: break
      }
      await wait(with: \.reader) { !$0.parts.isEmpty || $0.isOver }
    }
  }

  // MARK: The connection

  func receive(_ head: HTTPResponseHead) {
    state.withLock { state in
      state.head = head
      defer { (state.reader, state.writer) = (nil, nil) }
      return [state.reader, state.writer]
    }.forEach { $0?.resume() }
  }

  /// - Returns: whether there is room for more: if not, the connection is told when there is.
  func receive(_ part: ByteBuffer) -> Bool {
    let (reader, hasRoom) = state.withLock { state in
      guard !state.isOver else { return (nil as CheckedContinuation<Void, Never>?, true) }
      state.parts.append(part)
      state.bufferedBytes += part.readableBytes
      state.isPaused = state.bufferedBytes >= limit
      defer { state.reader = nil }
      return (state.reader, !state.isPaused)
    }
    reader?.resume()
    return hasRoom
  }

  func receiveEnd() {
    state.withLock { state in
      state.connection = nil
      if state.failure == nil { state.isEnded = true }
      defer { (state.reader, state.writer) = (nil, nil) }
      return [state.reader, state.writer]
    }.forEach { $0?.resume() }
  }
}

extension HTTPExchange.State {
  enum Taken {
    case part(ByteBuffer)
    case end
    case failure(HTTPUpstreamError)
    case nothingYet
  }

  /// The next of the body, and whether the connection has to be told to read on.
  fileprivate mutating func take(limit: Int) -> (Taken, Bool) {
    // What came before a failure is still good, but not what came before the caller gave up.
    if let failure, failure.kind == .cancelled { return (.failure(failure), false) }
    if let part = parts.popFirst() {
      bufferedBytes -= part.readableBytes
      let resumes = isPaused && bufferedBytes <= limit / 2
      if resumes { isPaused = false }
      return (.part(part), resumes)
    }
    if let failure { return (.failure(failure), false) }
    return (isEnded ? .end : .nothingYet, false)
  }
}
