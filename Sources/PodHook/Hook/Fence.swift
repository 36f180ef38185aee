/// What stops the application when its lock is lost.
package enum Fence: String, CaseIterable, Sendable {
  /// The sidecar exits with ``exitCode`` and the kubelet restarts every container of the Pod behind
  /// the gate (`restartPolicyRules` with `RestartAllContainers`, Kubernetes 1.36 and later).
  case restartAll = "restart-all"
  /// The kubelet kills application containers by a liveness probe on the sidecar: damage
  /// limitation, not mutual exclusion.
  case liveness
  /// Nothing.
  case none

  /// With what the sidecar exits when the lock is lost.
  package static let exitCode: Int32 = 42
}
