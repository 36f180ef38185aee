import NIOCore
import Synchronization

/// How far a watch has got, over all the streams that it takes.
final class WatchProgress: Sendable {
  enum Step {
    case started
    /// Part of a change that is spread over several answers, or only a sign of life.
    case nothingYet
    case events([EtcdEvent])
    case ended
  }

  private struct State {
    var next: Int64?
    var pending: [EtcdEvent] = []
    var end: AttemptFailure?
    var lastAnswer = NIODeadline.now()
  }

  private let state: Mutex<State>

  init(next: Int64?) { state = Mutex(State(next: next)) }

  var lastAnswer: NIODeadline { state.withLock { $0.lastAnswer } }
  /// Why the server ended the last stream.
  var end: AttemptFailure? { state.withLock { $0.end } }

  /// The revision for a new stream to start at; 0: now.
  func begin() -> Int64 {
    state.withLock { state in
      state.pending = []
      state.end = nil
      return state.next ?? 0
    }
  }

  func take(_ answer: Etcdserverpb_WatchResponse) -> Step {
    state.withLock { state in
      state.lastAnswer = .now()
      if answer.canceled || answer.compactRevision != 0 {
        state.end = Self.reasonOfEnd(answer)
        return .ended
      }
      if answer.created {
        // From here on a new stream must not lose what changes in between.
        if state.next == nil { state.next = answer.header.revision + 1 }
        return .started
      }
      state.pending += answer.events.map(EtcdEvent.init)
      guard !answer.fragment, let last = state.pending.last else { return .nothingYet }
      defer { state.pending = [] }
      state.next = last.revision + 1
      return .events(state.pending)
    }
  }

  private static func reasonOfEnd(_ answer: Etcdserverpb_WatchResponse) -> AttemptFailure {
    if answer.compactRevision != 0 {
      return AttemptFailure(
        .final(.compacted(oldest: answer.compactRevision)),
        "the revision is gone; the oldest that is there is \(answer.compactRevision)",
        mayHaveRun: false)
    }
    let reason = answer.cancelReason
    if reason.contains("permission denied") {
      return AttemptFailure(.final(.denied), reason, mayHaveRun: false)
    }
    if reason.contains("auth token") || reason.contains("user name is empty") {
      return AttemptFailure(.tokenRefused, reason, mayHaveRun: false)
    }
    return AttemptFailure(
      .passing, reason.isEmpty ? "the watch was ended" : reason, mayHaveRun: false)
  }
}
