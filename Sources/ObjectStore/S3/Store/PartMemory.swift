import Synchronization

/// The memory that all values on their way up share: who finds it full waits, in the order of coming.
final class PartMemory: Sendable {
  private struct Waiter {
    let id: UInt64
    let bytes: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var free: Int
    var waiting: [Waiter] = []
    var lastID: UInt64 = 0
    /// Waiters that were cancelled before they waited.
    var cancelled: Set<UInt64> = []
  }

  /// In bytes.
  let size: Int
  private let state: Mutex<State>

  init(size: Int) {
    self.size = size
    state = Mutex(State(free: size))
  }

  /// Takes memory, of which at most all there is can be asked for. Give it back by ``giveBack(_:)``.
  ///
  /// - Throws: `cancelled`.
  func take(_ bytes: Int) async throws(ObjectStoreError) {
    let bytes = min(bytes, size)
    let id = state.withLock { state -> UInt64? in
      if state.waiting.isEmpty, state.free >= bytes {
        state.free -= bytes
        return nil
      }
      state.lastID += 1
      return state.lastID
    }
    guard let id else { return }
    let isGranted = await withTaskCancellationHandler {
      await withCheckedContinuation { wait(Waiter(id: id, bytes: bytes, continuation: $0)) }
    } onCancel: {
      cancel(id)
    }
    guard isGranted else { throw .givenUp }
  }

  func giveBack(_ bytes: Int) {
    resume { $0.free += min(bytes, size) }
  }

  private func wait(_ waiter: Waiter) {
    let isCancelled = state.withLock { state in
      if state.cancelled.remove(waiter.id) != nil { return true }
      state.waiting.append(waiter)
      return false
    }
    if isCancelled { waiter.continuation.resume(returning: false) } else { resume { _ in } }
  }

  private func cancel(_ id: UInt64) {
    let waiter = state.withLock { state -> Waiter? in
      guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
        state.cancelled.insert(id)
        return nil
      }
      return state.waiting.remove(at: index)
    }
    waiter?.continuation.resume(returning: false)
    // Those behind it may need less.
    if waiter != nil { resume { _ in } }
  }

  private func resume(_ change: (inout sending State) -> Void) {
    let granted = state.withLock { state in
      change(&state)
      var granted: [CheckedContinuation<Bool, Never>] = []
      while let first = state.waiting.first, first.bytes <= state.free {
        state.free -= first.bytes
        granted.append(first.continuation)
        state.waiting.removeFirst()
      }
      return granted
    }
    for continuation in granted { continuation.resume(returning: true) }
  }
}
