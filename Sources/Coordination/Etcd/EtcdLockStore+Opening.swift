import EtcdClient
import Logging
import Synchronization

extension EtcdLockStore {
  /// How long the record that an application was started outlives the last sign of its sidecar.
  private static let retention = Duration.seconds(30 * 86_400)
  private static let openedRenewal = Duration.seconds(3600)

  package func recordOpened(
    _ key: NamespacedKey, token: Token, podUID: String, deadline: Duration
  ) async throws(StoreError) -> Bool {
    do throws(EtcdError) {
      return try await recordOpened(
        keys(of: key), token: token, podUID: podUID, deadline: deadline)
    } catch {
      throw storeError(error, key)
    }
  }

  private func recordOpened(
    _ keys: EtcdLockKeys, token: Token, podUID: String, deadline: Duration
  ) async throws(EtcdError) -> Bool {
    guard keys.mayOwn(token) else { return false }
    let name = keys.opened(by: podUID)
    while true {
      guard let entry = try await entry(token, deadline: deadline),
        entry.holder?.podUID == podUID
      else { return false }
      let lease = try await client.grantLease(
        ttl: Self.retention, timeout: timeout(until: deadline)
      ).lease
      let result: EtcdTransactionResult
      do throws(EtcdError) {
        result = try await client.transaction(
          EtcdTransaction(
            if: [.value(of: token.text, is: entry.keyValue.value)],
            then: [.get(name), .put(name, token.text, lease: lease)]), isRepeatable: true,
          timeout: timeout(until: deadline))
      } catch {
        if !error.mayHaveRun { giveBack(.lease(lease)) }
        throw error
      }
      if result.succeeded {
        // The lease of an earlier record has nothing left, unless it is this one's first attempt.
        if let old = result.keyValues(at: 0).first?.lease, old != lease { giveBack(.lease(old)) }
        held.withLock { $0[token.bytes]?.openedRenewedAt = time.now }
        return true
      }
      // The lock has changed hands, or only its lease.
      if !result.mayHaveRunBefore { giveBack(.lease(lease)) }
      try await pause(until: deadline)
    }
  }

  /// Keeps the record alive, once after a start and then hourly. A failure is made good by the next
  /// renewal.
  func keepOpened(
    _ keys: EtcdLockKeys, token: Token, podUID: String, deadline: Duration
  ) async {
    let now = time.now
    let isDue = held.withLock { held in
      held[token.bytes]?.openedRenewedAt.map { now - $0 >= Self.openedRenewal } ?? true
    }
    guard isDue else { return }
    do throws(EtcdError) {
      let record = try await client.get(
        keys.opened(by: podUID), timeout: timeout(until: deadline))
      if let lease = record?.lease,
        try await client.keepAlive(lease, timeout: timeout(until: deadline)).ttl != nil
      {
        held.withLock { $0[token.bytes]?.openedRenewedAt = now }
      } else {
        _ = try await recordOpened(keys, token: token, podUID: podUID, deadline: deadline)
      }
    } catch {
      logger.info("record of having opened could not be renewed", metadata: ["reason": "\(error)"])
    }
  }

  package func forgetOpened(
    _ key: NamespacedKey, podUID: String, deadline: Duration
  ) async throws(StoreError) {
    let name = keys(of: key).opened(by: podUID)
    do throws(EtcdError) {
      let result = try await client.transaction(
        EtcdTransaction(then: [.get(name), .delete(.key(name))]), isRepeatable: true,
        timeout: timeout(until: deadline))
      if let lease = result.keyValues(at: 0).first?.lease { giveBack(.lease(lease)) }
    } catch {
      throw storeError(error, key)
    }
  }

  package func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    do throws(EtcdError) {
      return try await release(keys(of: key), token, podUID: podUID, deadline: deadline)
    } catch {
      throw storeError(error, key)
    }
  }

  private func release(
    _ keys: EtcdLockKeys, _ token: Token, podUID: String?, deadline: Duration
  ) async throws(EtcdError) -> Bool {
    guard keys.mayOwn(token) else { return false }
    var mayBeDone = false
    while true {
      guard let entry = try await entry(token, deadline: deadline) else {
        forget(token)
        return mayBeDone
      }
      guard entry.mayBeReleased(by: podUID) else { return false }
      var operations: [EtcdTransaction.Operation] = [.delete(.key(token.text))]
      if let podUID {
        let opened = keys.opened(by: podUID)
        operations += [.get(opened), .delete(.key(opened))]
      }
      let result = try await client.transaction(
        EtcdTransaction(
          if: [.value(of: token.text, is: entry.keyValue.value)], then: operations),
        isRepeatable: true, timeout: timeout(until: deadline))
      if result.succeeded {
        // A claim's lease is others' too, and runs out, unless this process granted it for this one.
        let isOwn = entry.isBound || held.withLock { $0[token.bytes] != nil }
        forget(token)
        if isOwn, let lease = entry.keyValue.lease { giveBack(.lease(lease)) }
        if let lease = result.keyValues(at: 1).first?.lease { giveBack(.lease(lease)) }
        return true
      }
      // Bound or moved meanwhile, or deleted by an attempt whose answer was lost: look again.
      mayBeDone = mayBeDone || result.mayHaveRunBefore
      try await pause(until: deadline)
    }
  }
}
