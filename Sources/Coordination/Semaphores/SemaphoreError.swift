/// Why a semaphore could not be asked. Nothing is taken.
package enum SemaphoreError: Error, Sendable, CustomStringConvertible {
  /// The store of the permits, or that of the lock around them, could not decide.
  case store(StoreError)
  /// Until the deadline somebody else was at work on this semaphore, or crashed while at it: then
  /// its lock frees itself after `timeLeft`.
  case lockHeld(NamespacedKey, by: LockRecord, timeLeft: Duration?)
  /// The lock's place is taken by a Pod of exactly-one-pod-hook, which uses the same store.
  case foreignLock(NamespacedKey, by: Holder)
  /// Until the deadline this process was at work on the semaphore for earlier callers.
  case busy(NamespacedKey)

  package var description: String {
    switch self {
    case .store(let error): return error.description
    case .lockHeld(let key, let record, let timeLeft):
      let holder = record.holder?.owner ?? "another implementation"
      let end =
        timeLeft.map { "if that crashed, the lock frees itself in \($0.wholeSeconds) s" }
        ?? "the lock has no time to live: delete it if that crashed"
      return "\(key): \(holder) holds the lock around the semaphore; try again (\(end))"
    case .foreignLock(let key, let holder):
      let pod = holder.displayName.isEmpty ? "a Pod" : "Pod \(holder.displayName)"
      return
        "\(key): \(pod) holds a lock of exactly-one-pod-hook under this name; give the two hooks"
        + " different stores or a different --key-prefix"
    case .busy(let key):
      return "\(key): earlier requests for the semaphore took all the time there was; try again"
    }
  }
}

extension Duration {
  /// Rounded up.
  fileprivate var wholeSeconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
