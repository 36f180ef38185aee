import Synchronization

/// A value whose changes can be awaited: tests wait for what happened instead of sleeping.
///
/// Waiters see every state in which an ``update(_:)`` leaves the value, so a condition that holds
/// only for a moment is not missed.
package final class Observed<State: Sendable>: Sendable {
  private struct Waiter: Sendable {
    /// Returns what resumes the waiter if it has waited for this state.
    let offer: @Sendable (State) -> (@Sendable () -> Void)?
    let cancel: @Sendable () -> Void
  }

  private struct Storage {
    var state: State
    var waiters: [UInt64: Waiter] = [:]
    var lastID: UInt64 = 0
  }

  private let storage: Mutex<Storage>

  package init(_ initial: State) {
    storage = Mutex(Storage(state: initial))
  }

  package var current: State { storage.withLock { $0.state } }

  /// Changes the value. `change` runs under a lock: it must be short and not touch this object.
  @discardableResult
  package func update<Result: Sendable>(_ change: @Sendable (inout State) -> Result) -> Result {
    let (result, resumptions) = storage.withLock { storage in
      let result = change(&storage.state)
      var resumptions: [@Sendable () -> Void] = []
      for (id, waiter) in storage.waiters {
        guard let resume = waiter.offer(storage.state) else { continue }
        resumptions.append(resume)
        storage.waiters[id] = nil
      }
      return (result, resumptions)
    }
    for resume in resumptions { resume() }
    return result
  }

  /// Waits until `match` makes something of the value; at once if it already does.
  ///
  /// - Throws: `CancellationError` when the task is cancelled first.
  package func first<Value: Sendable>(
    where match: @escaping @Sendable (State) -> Value?
  ) async throws -> Value {
    let id = storage.withLock { storage in
      storage.lastID += 1
      return storage.lastID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Value, any Error>) in
        let answer: Result<Value, any Error>? = storage.withLock { storage in
          if Task.isCancelled { return .failure(CancellationError()) }
          if let value = match(storage.state) { return .success(value) }
          storage.waiters[id] = Waiter(
            offer: { state in
              guard let value = match(state) else { return nil }
              return { continuation.resume(returning: value) }
            },
            cancel: { continuation.resume(throwing: CancellationError()) })
          return nil
        }
        if let answer { continuation.resume(with: answer) }
      }
    } onCancel: {
      storage.withLock { $0.waiters.removeValue(forKey: id) }?.cancel()
    }
  }
}
