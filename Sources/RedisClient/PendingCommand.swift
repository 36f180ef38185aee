import NIOCore
import RESP
import Synchronization

/// The promise of a reply to one command.
///
/// The reply, the deadline, the caller's cancellation and the end of the connection race for it
/// on different threads; the first to finish it wins, and the others do nothing. Sending takes
/// part in that race: a finished command is never sent.
final class PendingCommand: Sendable {
  typealias Reply = Result<RESPValue, RedisError>
  typealias Continuation = CheckedContinuation<Reply, Never>

  private struct State {
    var continuation: Continuation?
    /// Set if it was finished before anyone waited.
    var early: Reply?
    var isFinished = false
    var isSent = false
  }

  /// The command's word, for messages.
  let name: String
  /// On the event loop's clock.
  let deadline: NIODeadline
  /// Bytes of the command.
  let length: Int
  private let address: String
  private let state = Mutex(State())

  init(name: String, length: Int, deadline: NIODeadline, address: String) {
    self.name = name
    self.length = length
    self.deadline = deadline
    self.address = address
  }

  /// Leaves the continuation to whoever finishes the command. Returns false if that has happened
  /// already: then it is resumed at once, and the command must not be queued.
  func wait(with continuation: Continuation) -> Bool {
    let early = state.withLock { state -> Reply? in
      guard state.isFinished else {
        state.continuation = continuation
        return nil
      }
      return state.early
    }
    guard let early else { return true }
    continuation.resume(returning: early)
    return false
  }

  /// Asks to send the command now. False if it is finished.
  func markSent() -> Bool {
    state.withLock { state in
      guard !state.isFinished else { return false }
      state.isSent = true
      return true
    }
  }

  var isFinished: Bool { state.withLock { $0.isFinished } }

  func succeed(_ value: RESPValue) {
    finish { _ in .success(value) }
  }

  func fail(_ error: RedisError) {
    finish { _ in .failure(error) }
  }

  func fail(_ kind: RedisError.Kind, _ message: String, cause: (any Error)? = nil) {
    finish { isSent in
      .failure(
        RedisError(
          kind, address: self.address, "\(self.name): \(message)", mayHaveRun: isSent,
          cause: cause))
    }
  }

  func expire() {
    finish { isSent in
      .failure(
        RedisError(
          .timedOut, address: self.address,
          "\(self.name): \(isSent ? "no reply in time" : "could not be sent in time")",
          mayHaveRun: isSent))
    }
  }

  func cancel() {
    finish { isSent in
      .failure(
        RedisError(
          .cancelled, address: self.address,
          "\(self.name): cancelled \(isSent ? "while waiting for the reply" : "before it was sent")",
          mayHaveRun: isSent))
    }
  }

  private func finish(_ makeReply: (_ isSent: Bool) -> Reply) {
    let finished = state.withLock { state -> (Continuation, Reply)? in
      guard !state.isFinished else { return nil }
      state.isFinished = true
      let reply = makeReply(state.isSent)
      guard let continuation = state.continuation else {
        state.early = reply
        return nil
      }
      state.continuation = nil
      return (continuation, reply)
    }
    // Resumed outside of the lock: it runs code of the caller's executor.
    if let (continuation, reply) = finished { continuation.resume(returning: reply) }
  }
}
