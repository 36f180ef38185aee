/// Waits between connection attempts: doubled from the first to the longest, each one cut by up
/// to half at random, so that many clients of a restarted server do not return at once.
struct RedisBackoff {
  private let delays: ClosedRange<Duration>
  private var ceiling: Duration

  init(_ delays: ClosedRange<Duration>) {
    self.delays = delays
    self.ceiling = delays.lowerBound
  }

  mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
    let delay = ceiling * Double.random(in: 0.5...1, using: &random)
    ceiling = min(ceiling * 2, delays.upperBound)
    return delay
  }

  /// Call after a connection that proved useful.
  mutating func reset() {
    ceiling = delays.lowerBound
  }
}
