import Synchronization

/// What one task finds out and others wait for, each only as long as it wants to.
package final class SharedAnswer<Value: Sendable>: Sendable {
  private enum State {
    case pending([UInt64: CheckedContinuation<Value?, Never>])
    case known(Value)
  }

  private struct Waiters {
    var state = State.pending([:])
    var lastID: UInt64 = 0
  }

  private let waiters = Mutex(Waiters())

  /// Starts finding out. The task belongs to all who wait, so it cannot be the child of one of them;
  /// `find` has to end by a deadline of its own.
  package init(_ find: @escaping @Sendable () async -> Value) {
    Task {
      let value = await find()
      let waiting = waiters.withLock { waiters -> [UInt64: CheckedContinuation<Value?, Never>] in
        guard case .pending(let waiting) = waiters.state else { return [:] }
        waiters.state = .known(value)
        return waiting
      }
      for waiter in waiting.values { waiter.resume(returning: value) }
    }
  }

  /// - Returns: nil if it was not known in time, or the task was cancelled.
  package func value(within timeout: Duration) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
      group.addTask { await self.value() }
      group.addTask {
        // Ends early when the answer came first, or by cancellation.
        try? await Task.sleep(for: timeout)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  private func value() async -> Value? {
    let id = waiters.withLock { waiters in
      waiters.lastID += 1
      return waiters.lastID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Value?? = waiters.withLock { waiters in
          switch waiters.state {
          case .known(let value): return .some(value)
          case .pending(var waiting):
            // Checked under the lock: a cancellation from here on finds the waiter.
            if Task.isCancelled { return .some(nil) }
            waiting[id] = continuation
            waiters.state = .pending(waiting)
            return nil
          }
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let waiter = waiters.withLock { waiters in
        guard case .pending(var waiting) = waiters.state else {
          return CheckedContinuation<Value?, Never>?.none
        }
        let waiter = waiting.removeValue(forKey: id)
        waiters.state = .pending(waiting)
        return waiter
      }
      waiter?.resume(returning: nil)
    }
  }
}
