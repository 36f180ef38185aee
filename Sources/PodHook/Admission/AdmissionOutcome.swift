/// How an admission ended: one code for logs and metrics, and whether the Pod was let in.
package enum AdmissionOutcome: String, CaseIterable, Sendable {
  case notGuarded = "not_guarded"
  case granted
  /// Admitted with empty hands, to wait (`policy: wait`).
  case waiting
  /// The Pod carries the unclaimed claim of this very request.
  case reinvoked
  case dryRun = "dry_run"
  case invalidKey = "invalid_key"
  case invalidLength = "invalid_length"
  case invalidExpiration = "invalid_expiration"
  case invalidPolicy = "invalid_policy"
  case ambiguous
  case windows
  /// The lock is another's.
  case taken
  /// No permit is free.
  case exhausted
  /// The other hook keeps its locks under the same keys of the same store.
  case misconfigured
  case storeUnavailable = "store_unavailable"

  package var isAllowed: Bool {
    switch self {
    case .notGuarded, .granted, .waiting, .reinvoked, .dryRun: true
    default: false
    }
  }
}
