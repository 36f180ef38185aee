package import LocalServers

/// What happens to a Pod, in the kubelet's eyes.
package enum PodEvent: Sendable, Hashable {
  /// Admission allowed it.
  case admitted
  case sidecarStarted
  /// Every init container has finished or, if it is a sidecar, passed its startup probe.
  case gateOpen
  /// The application containers run.
  case appRunning
  /// No application container runs any more.
  case appStopped
  /// The kubelet sent SIGTERM to the sidecar.
  case sidecarTerminating
  case sidecarExited(LocalProcess.ExitStatus)
  /// The node died: everything on it was killed at once.
  case nodeDied
  /// Nothing of the Pod runs any more, and nothing will.
  case stopped
}

/// An event and when it was seen.
package struct TimedPodEvent: Sendable, Hashable {
  package let event: PodEvent
  package let at: ContinuousClock.Instant
}
