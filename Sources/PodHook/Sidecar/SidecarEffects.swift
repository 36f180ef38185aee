/// What a sidecar does to its surroundings, apart from the store.
package struct SidecarEffects: Sendable {
  /// Called when there is nothing left to do but to renew.
  var whenStarted: @Sendable () -> Void = {}
  /// Ends the process at once, without an orderly shutdown.
  var exit: @Sendable (Int32) -> Void = { _ in }
  /// What outlives the sidecar's process but not its Pod; nil: nothing does.
  var mark: (any OpenedMark)?

  package init() {}
}

/// A note in the Pod that its application was let in, for a sidecar that starts anew while the store
/// cannot be reached.
protocol OpenedMark: Sendable {
  /// When the last sidecar would have given the lock up, on its ``MonotonicTime``; nil: no
  /// application was let in.
  func read() -> Duration?
  /// A note that cannot be written is not worth an error: a store of locks has the record too. The
  /// next sidecar of a permit then waits for one as if the application did not run.
  func write(giveUpAt: Duration)
  func erase()
}
