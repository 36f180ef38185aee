/// What the webhook tells the sidecar of its semaphore.
package struct PermitTerms: Sendable, Hashable {
  /// The number of permits that this Pod's annotations state.
  package var length: Int
  /// How long the lock around the queue may be held by a process that crashed.
  package var lockTime: Duration
  package var heartbeatInterval: Duration

  package init(length: Int, lockTime: Duration, heartbeatInterval: Duration) {
    self.length = length
    self.lockTime = lockTime
    self.heartbeatInterval = heartbeatInterval
  }

  /// - Parameter jitter: from -1 to 1; spreads sidecars that started together.
  func nextHeartbeat(after now: Duration, jitter: Double) -> Duration {
    now + heartbeatInterval + heartbeatInterval * (jitter / 10)
  }

  /// After a heartbeat that the store did not answer.
  func nextAttempt(after now: Duration) -> Duration { now + heartbeatInterval / 10 }
}
