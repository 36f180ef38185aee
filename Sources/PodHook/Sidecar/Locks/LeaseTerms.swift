import Coordination

/// How long a lease lives, when to renew it and when to give it up: arithmetic, no clock.
package struct LeaseTerms: Sendable, Hashable {
  /// From the last sign of life until the lock frees itself.
  package var expiration: Duration
  /// How long before that the sidecar gives up.
  package var fenceMargin: Duration
  /// Zero: release deletes the lock; otherwise it leaves the lock that long to live.
  package var releaseDelay: Duration

  package init(expiration: Duration, fenceMargin: Duration, releaseDelay: Duration = .zero) {
    self.expiration = expiration
    self.fenceMargin = fenceMargin
    self.releaseDelay = releaseDelay
  }

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
