package import Coordination

/// What one sidecar was told by the webhook and by the Pod that it runs in.
package struct SidecarConfiguration: Sendable {
  package var key: NamespacedKey
  /// The claim that the webhook took, or one that was never taken (`policy: wait`).
  package var token: Token
  /// From the last sign of life until the lock frees itself.
  package var expiration: Duration
  /// How long before that the sidecar gives up.
  package var fenceMargin: Duration
  package var fence: Fence
  /// Whether the application waits for ``LockSidecar`` to open the gate.
  package var isGated: Bool
  /// From SIGTERM until the kubelet kills.
  package var gracePeriod: Duration
  /// Zero: release deletes the lock; otherwise it leaves the lock that long to live.
  package var releaseDelay: Duration
  /// What all containers of the Pod share, what survives their restarts, and what ends with the
  /// Pod.
  package var sharedDirectory = "/dev/shm"
  /// The Pod, with its UID.
  package var holder: Holder

  package init(
    key: NamespacedKey, token: Token, expiration: Duration, fenceMargin: Duration, fence: Fence,
    isGated: Bool, gracePeriod: Duration, releaseDelay: Duration, holder: Holder
  ) {
    self.key = key
    self.token = token
    self.expiration = expiration
    self.fenceMargin = fenceMargin
    self.fence = fence
    self.isGated = isGated
    self.gracePeriod = gracePeriod
    self.releaseDelay = releaseDelay
    self.holder = holder
  }

  var podUID: String { holder.podUID ?? "" }
}
