package import Logging
import Metrics
package import ServiceKit

/// Logs, metrics and traces of a hook's process.
package struct Telemetry: Sendable {
  package let logger: Logger
  package let registry: PrometheusRegistry
  let tracer: OTLPTracer
  /// Nil unless the environment says where traces go.
  let exporter: OTLPExporter?

  /// Sets logs and metrics up for the whole process. Call once, first of all.
  ///
  /// - Parameter traces: nil: incoming trace ids go to the logs, and no span is recorded.
  package init(bootstrap level: Logger.Level, label: String, traces: OTLPConfiguration? = nil) {
    JSONLogHandler.bootstrap(level: level)
    registry = PrometheusRegistry()
    for (name, help) in Self.helps { registry.describe(name, help: help) }
    MetricsSystem.bootstrap(registry)
    let logger = Logger(label: label)
    self.logger = logger
    exporter = traces.map { OTLPExporter($0, logger: logger) }
    tracer = OTLPTracer(exporter: exporter)
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
    "at_least_semaphore_queue": "Free permits of a semaphore.",
    "at_least_semaphore_inflight": "Permits of a semaphore that Pods have.",
    "at_least_semaphore_length": "The number of permits that was stated last.",
    "at_least_semaphore_reclaimed_total": "Permits taken from holders that gave no sign of life.",
    "at_least_semaphore_lost_total": "Holders that came back after their permit was reclaimed.",
    "at_least_semaphore_over_length_seconds_total":
      "Time for which such a holder ran while another had its permit.",
    "permit_held": "1 while this Pod holds its permit.",
    "permit_acquired_total": "Permits taken over or taken anew.",
    "permit_heartbeats_total": "Heartbeats that the store took.",
    "permit_heartbeat_failures_total": "Heartbeats that the store did not answer.",
    "permit_lost_total": "Permits that turned out to be reclaimed.",
    "permit_over_length_seconds_total":
      "Time for which the application ran on, told that its permit was lost and none was free.",
    "permit_released_total": "Permits given back.",
    "permit_sidecar_crashes_total": "Starts of a sidecar whose application was running already.",
  ]
}
