import Coordination
import Synchronization

/// What a store in a test is told to do, and what was asked of it.
final class CallScript<Operation: Hashable & Sendable>: Sendable {
  private typealias Waiter = CheckedContinuation<Void, Never>

  private struct State {
    var failing: Set<Operation> = []
    /// What is done without the caller hearing of it.
    var unheard: Set<Operation> = []
    /// What does not get on until it is let go.
    var held: Set<Operation> = []
    var parked: [Waiter] = []
    var calls: [Operation] = []
    var callers: [(operation: Operation, count: Int, resume: Waiter)] = []
    var cancelled: Set<Operation> = []
    var cancellers: [(operation: Operation, resume: Waiter)] = []
    var hook: (@Sendable (Operation) -> Void)?
  }

  private let state = Mutex(State())

  var calls: [Operation] { state.withLock { $0.calls } }

  func fail(_ operations: [Operation]) { state.withLock { $0.failing.formUnion(operations) } }
  func loseAnswers(to operations: [Operation]) {
    state.withLock { $0.unheard.formUnion(operations) }
  }
  func recover() {
    state.withLock {
      $0.failing = []
      $0.unheard = []
    }
  }
  func before(_ hook: @escaping @Sendable (Operation) -> Void) {
    state.withLock { $0.hook = hook }
  }

  func hold(_ operation: Operation) { state.withLock { _ = $0.held.insert(operation) } }
  func letGo() {
    let parked = state.withLock { state in
      state.held = []
      defer { state.parked = [] }
      return state.parked
    }
    for waiter in parked { waiter.resume() }
  }

  // MARK: - Waiting

  func called(_ operation: Operation, times count: Int) async {
    await withCheckedContinuation { continuation in
      let isCalled = state.withLock { state in
        if state.calls.count(where: { $0 == operation }) >= count { return true }
        state.callers.append((operation, count, continuation))
        return false
      }
      if isCalled { continuation.resume() }
    }
  }

  func cancelled(_ operation: Operation) async {
    await withCheckedContinuation { continuation in
      let isCancelled = state.withLock { state in
        if state.cancelled.contains(operation) { return true }
        state.cancellers.append((operation, continuation))
        return false
      }
      if isCancelled { continuation.resume() }
    }
  }

  // MARK: - Being called

  /// At the start of every operation.
  func enter(_ operation: Operation) throws(StoreError) {
    note(operation)
    if state.withLock({ $0.failing.contains(operation) }) { throw ScriptedStore.unavailable }
  }

  /// The same for operations that can be held up. Like an answer that is on its way, the end of
  /// what is held up does not depend on whether the caller still waits.
  func pass(_ operation: Operation) async throws(StoreError) {
    note(operation)
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isHeld = state.withLock { state in
          guard state.held.contains(operation) else { return false }
          state.parked.append(continuation)
          return true
        }
        if !isHeld { continuation.resume() }
      }
    } onCancel: {
      let waiters = state.withLock { state in
        guard state.held.contains(operation) else { return [Waiter]() }
        state.cancelled.insert(operation)
        let waiters = state.cancellers.filter { $0.operation == operation }.map(\.resume)
        state.cancellers.removeAll { $0.operation == operation }
        return waiters
      }
      for waiter in waiters { waiter.resume() }
    }
    if state.withLock({ $0.failing.contains(operation) }) { throw ScriptedStore.unavailable }
  }

  /// At the end of operations whose answers can get lost.
  func answer(_ operation: Operation) throws(StoreError) {
    if state.withLock({ $0.unheard.contains(operation) }) { throw ScriptedStore.unavailable }
  }

  private func note(_ operation: Operation) {
    let (hook, waiters) = state.withLock { state in
      state.calls.append(operation)
      let count = state.calls.count { $0 == operation }
      let isReached = { (caller: (operation: Operation, count: Int, resume: Waiter)) in
        caller.operation == operation && caller.count <= count
      }
      let waiters = state.callers.filter(isReached).map(\.resume)
      state.callers.removeAll(where: isReached)
      return (state.hook, waiters)
    }
    for waiter in waiters { waiter.resume() }
    hook?(operation)
  }
}
