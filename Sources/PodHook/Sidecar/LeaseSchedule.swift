import Coordination

/// When to renew a lease and when to give it up: arithmetic, no clock.
struct LeaseSchedule: Sendable, Hashable {
  let expiration: Duration
  let fenceMargin: Duration

  /// Between two renewals that succeed, before jitter: a third of the expiration, 10 s at most.
  var interval: Duration { min(expiration / 3, .seconds(10)) }

  /// - Parameter jitter: from -1 to 1; spreads sidecars that started together.
  func nextRenewal(after now: Duration, jitter: Double) -> Duration {
    now + interval + interval * (jitter / 10)
  }

  /// After a round that failed.
  func nextAttempt(after now: Duration) -> Duration { now + interval / 10 }

  /// The moment from which the lock counts as lost, although it may still live in the store.
  func giveUp(_ lease: LockLease) -> Duration { lease.validUntil - fenceMargin }
}
