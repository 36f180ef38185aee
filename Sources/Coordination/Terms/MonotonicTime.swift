/// Time that only moves forward, also while the machine sleeps; what leases are counted in.
///
/// Injected wherever time is part of the rule, so that tests decide what time it is.
package protocol MonotonicTime: Sendable {
  /// The time since an arbitrary origin that all values of one source share.
  var now: Duration { get }
  /// Waits until `now` is at least `instant`.
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func sleep(until instant: Duration) async throws
}

extension MonotonicTime {
  package func sleep(for duration: Duration) async throws { try await sleep(until: now + duration) }
}

/// The machine's clock, counted from the first use in this process.
package struct SystemTime: MonotonicTime {
  private static let origin = ContinuousClock.now

  package init() {}

  package var now: Duration { ContinuousClock.now - Self.origin }

  package func sleep(until instant: Duration) async throws {
    try await ContinuousClock().sleep(until: Self.origin + instant)
  }
}
