import Glibc

/// The time of day, for people and for messages; leases never depend on it.
package enum WallClock {
  /// Since 1970.
  package static var now: (seconds: Int, ms: Int) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return (time.tv_sec, time.tv_nsec / 1_000_000)
  }
}
