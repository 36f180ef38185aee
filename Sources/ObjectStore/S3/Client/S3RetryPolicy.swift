/// How often, and after which pauses, a request is sent again that met a server in trouble.
package struct S3RetryPolicy: Sendable {
  /// All attempts, the first one counted.
  package var attempts = 6
  /// The first and the longest pause: doubled each time, and each cut by up to half at random.
  package var delays: ClosedRange<Duration> = .milliseconds(50) ... .seconds(3)
  /// No attempt begins after so much time.
  package var limit = Duration.seconds(45)
  /// Waits; tests need not. Throws if the task is cancelled.
  package var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  /// A number in `0.5...1`.
  package var jitter: @Sendable () -> Double = { Double.random(in: 0.5...1) }

  package init() {}

  /// - Parameter attempt: from 0.
  func delay(after attempt: Int) -> Duration {
    let doubled = delays.lowerBound * (1 << min(attempt, 20))
    return min(doubled, delays.upperBound) * jitter()
  }
}
