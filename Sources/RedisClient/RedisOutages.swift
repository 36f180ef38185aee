/// When a server could be used, and when not: away, or still loading its data.
struct RedisOutages: Sendable {
  typealias Instant = ContinuousClock.Instant

  /// One that begins so soon after the last goes on with it: others had no time to come back.
  static let shortestBreak = Duration.seconds(15)

  /// Since when the server is away.
  private var began: Instant?
  private(set) var last: RedisClient.Outage?

  var isAway: Bool { began != nil }

  /// The one that lasts, up to now, or else the last.
  func latest(at now: Instant) -> RedisClient.Outage? {
    began.map { RedisClient.Outage(duration: $0.duration(to: now), end: now) } ?? last
  }

  /// The server cannot be used.
  mutating func begin(at now: Instant) {
    guard began == nil else { return }
    if let last, last.end.duration(to: now) < Self.shortestBreak {
      began = now - last.duration
    } else {
      began = now
    }
  }

  /// The server works.
  mutating func end(at now: Instant) {
    guard let began else { return }
    last = RedisClient.Outage(duration: began.duration(to: now), end: now)
    self.began = nil
  }
}
