import Synchronization

/// Wakes one waiting task; a signal without a waiter is kept for the next one.
final class Wakeup: Sendable {
  private enum State {
    case idle
    case signalled
    case waiting(CheckedContinuation<Void, Never>)
  }

  private let state = Mutex(State.idle)

  func signal() {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if case .waiting(let continuation) = state {
        state = .idle
        return continuation
      }
      state = .signalled
      return nil
    }
    waiter?.resume()
  }

  /// Returns after a signal, or at once when the task is cancelled. One task at a time may wait.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state -> Bool in
          if case .signalled = state {
            state = .idle
            return true
          }
          if Task.isCancelled { return true }
          state = .waiting(continuation)
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
        guard case .waiting(let continuation) = state else { return nil }
        state = .idle
        return continuation
      }
      waiter?.resume()
    }
  }
}
