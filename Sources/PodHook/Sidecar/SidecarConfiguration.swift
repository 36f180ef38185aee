package import Coordination

/// What one sidecar was told by the webhook and by the Pod that it runs in.
package struct SidecarConfiguration: Sendable {
  package var key: NamespacedKey
  /// The claim that the webhook took, or one that was never taken (`policy: wait`).
  package var token: Token
  package var fence: Fence
  /// Whether the application waits for the sidecar to open the gate.
  package var isGated: Bool
  /// From SIGTERM until the kubelet kills.
  package var gracePeriod: Duration
  /// What all containers of the Pod share, what survives their restarts, and what ends with the
  /// Pod.
  package var sharedDirectory = "/dev/shm"
  /// The Pod, with its UID.
  package var holder: Holder

  package init(
    key: NamespacedKey, token: Token, fence: Fence, isGated: Bool, gracePeriod: Duration,
    holder: Holder
  ) {
    self.key = key
    self.token = token
    self.fence = fence
    self.isGated = isGated
    self.gracePeriod = gracePeriod
    self.holder = holder
  }

  var podUID: String { holder.podUID ?? "" }

  /// Whether the end of the sidecar's process stops the application.
  var isFencing: Bool { fence == .restartAll && isGated }

  /// How long after the shutdown signal to keep what is held. Without a gate the application is
  /// told at the same moment, and ends meanwhile.
  var lateness: Duration { isGated ? .zero : max(gracePeriod - .seconds(1), .zero) }

  /// How long giving back may take.
  var releaseTime: Duration { isGated ? gracePeriod : .seconds(1) }
}
