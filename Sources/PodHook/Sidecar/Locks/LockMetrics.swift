import Metrics

/// What the sidecar of a lock counts.
struct LockMetrics: Sendable {
  let held = Gauge(label: "lock_held")
  let acquired = Counter(label: "lock_acquired_total")
  let renewed = Counter(label: "lock_renewed_total")
  let failedRenewals = Counter(label: "lock_renewal_failures_total")
  let released = Counter(label: "lock_released_total")
  /// Starts that found the lock of this very Pod: the sidecar before this one crashed.
  let resumed = Counter(label: "lock_sidecar_crashes_total")
  /// How much of the lease was left when it was renewed.
  let timeLeft = Timer(label: "lock_lease_left_seconds")

  /// Made at start, so that the first loss shows as an increase.
  private let losses = Dictionary(
    uniqueKeysWithValues: LossReason.allCases.map {
      ($0, Counter(label: "lock_lost_total", dimensions: [("reason", $0.rawValue)]))
    })

  func lost(_ reason: LossReason) {
    losses[reason]?.increment()
    held.record(0)
  }
}

/// Why a lock counts as lost.
package enum LossReason: String, CaseIterable, Sendable {
  /// The lease could run out before it is renewed.
  case expiring
  /// The store says that it is another's or gone.
  case taken
  /// The sidecar was down for longer than its lease while the application ran on.
  case absent
}
