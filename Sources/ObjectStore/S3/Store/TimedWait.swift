import Synchronization

/// A wait that ends once: because somebody grants it, the task is cancelled, or its time is over.
final class TimedWait: Sendable {
  enum End: Sendable {
    case granted, cancelled, late
  }

  private struct State {
    var end: End?
    var continuation: CheckedContinuation<End, Never>?
  }

  private let state = Mutex(State())

  /// - Returns: false if it had ended already.
  @discardableResult
  func end(_ end: End) -> Bool {
    let (isFirst, continuation) = state.withLock { state in
      guard state.end == nil else {
        return (false, nil as CheckedContinuation<End, Never>?)
      }
      state.end = end
      defer { state.continuation = nil }
      return (true, state.continuation)
    }
    continuation?.resume(returning: end)
    return isFirst
  }

  /// Waits for the end, so long at most.
  func value(within limit: Duration) async -> End {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        // An error means that the wait is over.
        if (try? await Task.sleep(for: limit)) != nil { self.end(.late) }
      }
      let end = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let known = state.withLock { state in
            if state.end == nil { state.continuation = continuation }
            return state.end
          }
          if let known { continuation.resume(returning: known) }
        }
      } onCancel: {
        self.end(.cancelled)
      }
      group.cancelAll()
      return end
    }
  }
}
