import Coordination
import Synchronization

/// The machine's clock, which a test may set forward.
final class ShiftedTime: MonotonicTime {
  private let ahead = Mutex(Duration.zero)

  var now: Duration { time.now + ahead.withLock { $0 } }

  func advance(by duration: Duration) { ahead.withLock { $0 += duration } }

  func sleep(until instant: Duration) async throws {
    try await time.sleep(until: instant - ahead.withLock { $0 })
  }
}
