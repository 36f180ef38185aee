import ObjectStore
import Synchronization

/// A clock that tests set.
final class TestClock: Sendable {
  private let time: Mutex<Int64>

  init(_ seconds: Int64 = 1_750_000_000) { time = Mutex(seconds) }

  /// In seconds since 1970.
  var now: Int64 { time.withLock { $0 } }

  func advance(by seconds: Int64) { time.withLock { $0 += seconds } }

  var wallClock: WallClock { WallClock { self.now } }
}
