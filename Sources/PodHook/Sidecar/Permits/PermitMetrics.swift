import Metrics

/// What the sidecar of a permit counts.
struct PermitMetrics: Sendable {
  let held = Gauge(label: "permit_held")
  let acquired = Counter(label: "permit_acquired_total")
  let heartbeats = Counter(label: "permit_heartbeats_total")
  let failedHeartbeats = Counter(label: "permit_heartbeat_failures_total")
  let lost = Counter(label: "permit_lost_total")
  /// For how long the application ran on after it was told that its permit was lost and none was
  /// free. Until it is told, the hooks' metric counts.
  let overLength = FloatingPointCounter(label: "permit_over_length_seconds_total")
  let released = Counter(label: "permit_released_total")
  /// Starts that found the application running: the sidecar before this one crashed.
  let resumed = Counter(label: "permit_sidecar_crashes_total")
}
