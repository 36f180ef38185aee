/// Where locks live.
///
/// Every call takes a deadline on the store's ``MonotonicTime`` and ends before it, with an answer
/// or with an error; what a call that fails may have taken is given back in the background, on a
/// deadline of its own. "Taken" and "unavailable" are different answers: the first is a result, the
/// second an error.
package protocol LockStore: CoordinationStore {
  /// Takes the lock if it is free.
  ///
  /// - Parameters:
  ///   - holder: with a `podUID` the lock is bound to that Pod at once, without one it is a claim
  ///     that the first sidecar with the token may bind.
  ///   - ttl: how long the lock lives without an extension.
  func acquire(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(StoreError) -> LockAcquisition

  /// Renews a lock and, if it is an unbound claim, binds it to `holder.podUID`, in one atomic step.
  ///
  /// - Parameter lease: what is known of the lock: only its token after a start, the last lease
  ///   later on.
  func extend(
    _ key: NamespacedKey, _ lease: LockLease.Known, as holder: Holder, ttl: Duration,
    deadline: Duration
  ) async throws(StoreError) -> LockExtension

  /// Records that the application of a Pod is about to start under this lock. The record outlives
  /// the lock, so that a sidecar which comes back too late knows that the application ran on.
  /// - Returns: false if the lock is not held by this token and Pod.
  func recordOpened(
    _ key: NamespacedKey, token: Token, podUID: String, deadline: Duration
  ) async throws(StoreError) -> Bool

  /// Deletes what ``recordOpened(_:token:podUID:deadline:)`` wrote.
  func forgetOpened(_ key: NamespacedKey, podUID: String, deadline: Duration)
    async throws(StoreError)

  /// Gives the lock up. Only the lock with this token, and bound to this Pod or, without a UID, not
  /// bound at all, is touched.
  /// - Returns: false if there was nothing to give up.
  func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool

  /// Releases in the background, as ``release(_:token:podUID:deadline:)`` does. Never waits, also
  /// works in a cancelled task.
  func giveBack(_ key: NamespacedKey, token: Token, podUID: String?)

  /// Reads a lock without changing anything.
  /// - Parameter podUID: whose record of having opened is looked up.
  func inspect(
    _ key: NamespacedKey, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> LockSnapshot

  /// All keys that are locked now, sorted. Walks over the whole store: for people, not for rules.
  func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey]
}

package enum LockAcquisition: Sendable {
  case granted(LockLease)
  /// Another holds it.
  case taken(LockOwnership)
}

package enum LockExtension: Sendable {
  case extended(LockLease)
  /// The lock is not ours: free (nil) or another's. Final for this token.
  case notHeld(LockOwnership?)
}

/// A lock as its holder knows it.
package struct LockLease: Sendable, Hashable {
  package let token: Token
  /// Grows from holder to holder of a key.
  package let fencingToken: UInt64
  /// Until when the lock is certainly ours, on the store's ``MonotonicTime``: counted from before
  /// the request was sent, less drift.
  package let validUntil: Duration

  package init(token: Token, fencingToken: UInt64, validUntil: Duration) {
    self.token = token
    self.fencingToken = fencingToken
    self.validUntil = validUntil
  }

  /// What a holder knows before it extends.
  package struct Known: Sendable {
    package let token: Token
    /// Nil when only the token is known: the extension then finds the fencing token out.
    package let fencingToken: UInt64?
    /// Whether the application was let in, so that the record of it is kept alive.
    package let isOpened: Bool

    package init(token: Token, fencingToken: UInt64? = nil, isOpened: Bool = false) {
      self.token = token
      self.fencingToken = fencingToken
      self.isOpened = isOpened
    }
  }
}

/// Who holds a lock, as others see it.
package struct LockOwnership: Sendable, Hashable {
  package let record: LockRecord
  /// Nil if the lock has no time to live.
  package let timeLeft: Duration?

  package init(record: LockRecord, timeLeft: Duration?) {
    self.record = record
    self.timeLeft = timeLeft
  }
}

package struct LockSnapshot: Sendable {
  /// Nil: free.
  package let owner: LockOwnership?
  /// The greatest fencing token given so far; 0 if none is known.
  package let fencingToken: UInt64
  /// Whether the Pod that was asked about had its application started.
  package let isOpened: Bool

  package init(owner: LockOwnership?, fencingToken: UInt64, isOpened: Bool) {
    self.owner = owner
    self.fencingToken = fencingToken
    self.isOpened = isOpened
  }
}
