import Coordination
import Synchronization

/// A clock that a test moves by hand.
///
/// What is under test either works or sleeps: ``settle()`` waits for it to sleep, so that a test
/// moves the clock only then, and nothing depends on how fast the machine is.
final class ManualTime: MonotonicTime {
  private struct State {
    var now: Duration
    var sleepers: [Int: (until: Duration, wake: CheckedContinuation<Void, any Error>)] = [:]
    var watchers: [(count: Int, resume: CheckedContinuation<Void, Never>)] = []
    var last = 0
  }

  private let state: Mutex<State>

  init(_ now: Duration = .seconds(1000)) { state = Mutex(State(now: now)) }

  var now: Duration { state.withLock { $0.now } }

  /// When the next sleeper wakes up.
  var nextAlarm: Duration? { state.withLock { $0.sleepers.values.map(\.until).min() } }

  func sleep(until instant: Duration) async throws {
    let id = state.withLock { state in
      state.last += 1
      return state.last
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (isOver, watchers) = state.withLock { state in
          if Task.isCancelled || instant <= state.now {
            return (true, [CheckedContinuation<Void, Never>]())
          }
          state.sleepers[id] = (instant, continuation)
          let satisfied = state.watchers.filter { $0.count <= state.sleepers.count }
          state.watchers.removeAll { $0.count <= state.sleepers.count }
          return (false, satisfied.map(\.resume))
        }
        for watcher in watchers { watcher.resume() }
        guard isOver else { return }
        if Task.isCancelled {
          continuation.resume(throwing: CancellationError())
        } else {
          continuation.resume()
        }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: id) }?.wake.resume(
        throwing: CancellationError())
    }
  }

  /// Waits until that many tasks sleep.
  func settle(_ count: Int = 1) async {
    await withCheckedContinuation { continuation in
      let isSettled = state.withLock { state in
        if state.sleepers.count >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if isSettled { continuation.resume() }
    }
  }

  func advance(by duration: Duration) { advance(to: now + duration) }

  /// Wakes everybody whose time has come.
  func advance(to instant: Duration) {
    let due = state.withLock { state in
      state.now = max(state.now, instant)
      let due = state.sleepers.filter { $0.value.until <= state.now }
      for id in due.keys { state.sleepers[id] = nil }
      return due.values.sorted { $0.until < $1.until }.map(\.wake)
    }
    for wake in due { wake.resume() }
  }

  /// Lets `steps` sleeps pass, each as soon as it has begun.
  func step(_ steps: Int = 1) async {
    for _ in 0..<steps {
      await settle()
      if let alarm = nextAlarm { advance(to: alarm) }
    }
    await settle()
  }
}
