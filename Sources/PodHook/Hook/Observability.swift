package import Logging
import Metrics
package import ServiceKit

/// Logs and metrics of a hook's process.
package enum Observability {
  /// Sets them up for the whole process. Call once, first of all.
  package static func bootstrap(
    level: Logger.Level, label: String
  ) -> (logger: Logger, registry: PrometheusRegistry) {
    JSONLogHandler.bootstrap(level: level)
    let registry = PrometheusRegistry()
    for (name, help) in helps { registry.describe(name, help: help) }
    MetricsSystem.bootstrap(registry)
    return (Logger(label: label), registry)
  }

  private static let helps = [
    "admissions_total": "Decisions about Pods, by outcome.",
    "admission_duration_seconds": "Time from the request to the decision, by outcome.",
    "admission_malformed_requests_total": "Requests that were no AdmissionReview.",
    "lock_store_errors_total": "Commands that a member of the store did not answer well.",
    "lock_store_duration_seconds": "Time that a member of the store took for a command.",
    "lock_held": "1 while this Pod holds its lock.",
    "lock_acquired_total": "Locks taken over or acquired.",
    "lock_renewed_total": "Renewals that succeeded.",
    "lock_renewal_failures_total": "Renewals that the store did not answer.",
    "lock_released_total": "Locks given back.",
    "lock_lost_total": "Locks lost, by reason.",
    "lock_sidecar_crashes_total": "Starts of a sidecar whose application was running already.",
    "lock_lease_left_seconds": "Time left on the lease when it was renewed.",
  ]
}
