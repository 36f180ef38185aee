import Coordination
import CoreMetrics
import Logging

extension LockSidecar {
  /// Finds out whether a sidecar of this Pod ran before, and what the store knows of this Pod that
  /// the Pod does not.
  ///
  /// - Returns: the lease of an application that runs already; nil if none runs.
  func recover(
    _ token: inout Token, _ holder: inout Holder
  ) async throws -> LockLease? {
    let podUID = configuration.podUID
    // Until then the lock of the sidecar before this one cannot be another's.
    let giveUpAt = configuration.isGated ? effects.mark?.read() : nil
    let snapshot = try await patience.persist("lock could not be read", until: giveUpAt) {
      deadline throws(StoreError) in
      try await self.store.inspect(self.configuration.key, podUID: podUID, deadline: deadline)
    }
    guard let snapshot else { return try await loseUnguarded() }
    if let record = snapshot.owner?.record,
      record.holder?.podUID == podUID || record.token == token
    {
      token = record.token
      holder.since = record.holder?.since ?? holder.since
      holder.owner = record.holder?.owner
    }
    guard configuration.isGated, snapshot.isOpened || giveUpAt != nil else { return nil }
    metrics.resumed.increment()
    return try await resume(token, holder, until: giveUpAt)
  }

  /// Goes on with a lock under which the application runs. If it is gone, the application must stop
  /// before the lock may be acquired again.
  private func resume(
    _ token: Token, _ holder: Holder, until giveUpAt: Duration?
  ) async throws -> LockLease? {
    let result = try await patience.persist("lock could not be resumed", until: giveUpAt) {
      deadline throws(StoreError) in
      try await self.store.extend(
        self.configuration.key, .init(token: token, isOpened: true), as: holder,
        ttl: self.terms.expiration, deadline: deadline)
    }
    if case .extended(let lease) = result { return won(lease, "lock resumed") }
    return try await loseUnguarded()
  }

  /// Stops an application that ran on while its lock was not kept.
  private func loseUnguarded() async throws -> LockLease? {
    // A record that stays costs one more restart, and nothing else: the fence does not wait for it.
    try? await store.forgetOpened(
      configuration.key, podUID: configuration.podUID, deadline: time.now + .seconds(1))
    try lose(.absent)
    return nil
  }
}
