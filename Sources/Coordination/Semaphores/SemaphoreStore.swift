/// Where permits live: for each key a queue of free ones and the holders of those in flight.
///
/// A permit is in flight from ``pop(_:length:as:lifetime:deadline:)`` until it is released, or until
/// somebody settles the key and finds its last heartbeat older than ``staleAfter``: then its holder
/// counts as dead, and the permit is free again. All times are the store's own; no client's clock
/// has a part in any of this.
///
/// Deadlines are on the store's ``MonotonicTime``, as in ``LockStore``.
package protocol SemaphoreStore: CoordinationStore {
  /// How long after its last heartbeat a holder counts as dead.
  var staleAfter: Duration { get }

  /// Reclaims what stale holders have, then brings queue and permits in flight together to `length`
  /// by filling the queue or trimming it. Who is in flight and alive is never touched: a lowered
  /// length drains. Remembers the length. One atomic step.
  func settle(
    _ key: NamespacedKey, length: Int, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts

  /// Takes a permit out of the queue, unless `length` are in flight already.
  ///
  /// - Parameters:
  ///   - holder: with a `podUID` the permit is bound to that Pod at once, without one it is a claim
  ///     that the first sidecar with the token may bind.
  ///   - lifetime: for how long the permit needs no heartbeat; ``staleAfter`` at most.
  /// - Returns: the new permit's token, or nil if none was free.
  func pop(
    _ key: NamespacedKey, length: Int, as holder: Holder, lifetime: Duration, deadline: Duration
  ) async throws(StoreError) -> Token?

  /// Says that a holder is alive and, if its permit is an unbound claim, binds it to
  /// `holder.podUID`, in one atomic step. Touches this permit only.
  func heartbeat(
    _ key: NamespacedKey, token: Token, as holder: Holder, deadline: Duration
  ) async throws(StoreError) -> Heartbeat

  /// Puts a permit back into the queue. Only one with this token, and bound to this Pod or, without
  /// a UID, not bound at all, is touched; a second call does nothing.
  /// - Returns: false if there was nothing to give back.
  func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool

  /// Releases in the background, as ``release(_:token:podUID:deadline:)`` does. Never waits, also
  /// works in a cancelled task.
  func giveBack(_ key: NamespacedKey, token: Token, podUID: String?)

  /// Reads the numbers of a key without changing anything. Costs the same for any length.
  func counts(_ key: NamespacedKey, deadline: Duration) async throws(StoreError) -> SemaphoreCounts

  /// Reads one permit; nil if it is not in flight.
  func permit(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws(StoreError) -> Permit?

  /// All permits in flight, those longest without a heartbeat first. Walks over all of them: for
  /// people, and for a sidecar that lost its memory.
  func permits(_ key: NamespacedKey, deadline: Duration) async throws(StoreError) -> [Permit]

  /// All keys that have a queue or permits in flight, sorted. Walks over the whole store.
  func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey]
}

package enum Heartbeat: Sendable, Hashable {
  /// The permit is the caller's for ``SemaphoreStore/staleAfter`` from before the call on.
  case alive
  /// The permit is not the caller's any more: it was reclaimed, or never was. Final for this token.
  ///
  /// - Parameter overLength: for how long another had this permit while the caller may have run: how
  ///   long more than `length` Pods ran at once because of it. Zero if nobody took it.
  case lost(overLength: Duration)
}

/// One permit in flight.
package struct Permit: Sendable, Hashable {
  package let token: Token
  /// Nil if another implementation took it and left no name.
  package let holder: Holder?
  /// Since the last heartbeat, or since it was taken.
  package let silence: Duration

  package init(token: Token, holder: Holder?, silence: Duration) {
    self.token = token
    self.holder = holder
    self.silence = silence
  }
}

/// The numbers of one semaphore.
package struct SemaphoreCounts: Sendable, Hashable {
  /// The length that was stated last; nil if nobody has yet.
  package let length: Int?
  /// Free permits.
  package let queue: Int
  /// Permits of holders, dead or alive.
  package let inFlight: Int
  /// Those among `inFlight` that the next settling reclaims.
  package let stale: Int
  /// The one that is longest without a heartbeat; on etcd, which does not know that, the one that was
  /// taken first.
  package let oldest: Permit?
  /// Permits that were taken from holders without a heartbeat, ever.
  package let reclaimed: Int
  /// Reclaimed holders that came back, ever.
  package let lost: Int
  /// The sum of what ``Heartbeat/lost(overLength:)`` told.
  package let overLength: Duration

  package init(
    length: Int?, queue: Int, inFlight: Int, stale: Int, oldest: Permit?, reclaimed: Int,
    lost: Int, overLength: Duration
  ) {
    self.length = length
    self.queue = queue
    self.inFlight = inFlight
    self.stale = stale
    self.oldest = oldest
    self.reclaimed = reclaimed
    self.lost = lost
    self.overLength = overLength
  }
}
