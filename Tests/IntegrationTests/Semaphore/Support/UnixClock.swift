import Glibc

/// Puts a kubelet's events and a Redis server's times, both of this machine, on one line.
struct UnixClock: Sendable {
  private let anchor: ContinuousClock.Instant
  private let seconds: Double

  init() {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    anchor = .now
    seconds = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  /// Seconds since 1970.
  func time(of instant: ContinuousClock.Instant) -> Double {
    let (whole, attoseconds) = (instant - anchor).components
    return seconds + Double(whole) + Double(attoseconds) / 1e18
  }
}
