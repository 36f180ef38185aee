import EtcdClient

extension EtcdLockStore {
  /// One try to take a lock.
  struct Attempt: Sendable {
    let keys: EtcdLockKeys
    let lease: LeasePool.Lease
    /// Whether the lease is for this attempt alone.
    let hasOwnLease: Bool
    let nonce: Token
    let holder: Holder

    var name: String { keys.contender(lease.lease) }
    var value: [UInt8] { EtcdLockEntry.value(nonce: nonce, holder: holder) }
    var voidName: String { EtcdLockKeys.void(prefix: keys.prefix, nonce: nonce) }

    /// Takes the lock if nobody contends for it, or reads who has it.
    var transaction: EtcdTransaction {
      let contenders = EtcdKeyRange.prefix(keys.contenders)
      return EtcdTransaction(
        if: [.isEmpty(contenders), .isEmpty(.key(voidName))],
        then: [.put(key: Array(name.utf8), value: value, lease: lease.lease)],
        else: [.range(EtcdRange(contenders, limit: 1, order: .createRevision))])
    }
  }

  package func acquire(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(StoreError) -> LockAcquisition {
    do throws(EtcdError) {
      return try await attempt(key, as: holder, ttl: ttl, deadline: deadline)
    } catch  where error.kind == .leaseNotFound {
      // The lease of the pool ran out or was lost: the next one is fresh.
      do throws(EtcdError) {
        return try await attempt(key, as: holder, ttl: ttl, deadline: deadline)
      } catch {
        throw storeError(error, key)
      }
    } catch {
      throw storeError(error, key)
    }
  }

  private func attempt(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(EtcdError) -> LockAcquisition {
    var shared: LeasePool.Lease?
    if holder.podUID == nil {
      shared = try await pool.lease(for: key, ttl: ttl, deadline: deadline)
    }
    let start = time.now
    let lease: LeasePool.Lease
    if let shared {
      lease = shared
    } else {
      let grant = try await client.grantLease(ttl: ttl, timeout: timeout(until: deadline))
      lease = LeasePool.Lease(lease: grant.lease, start: start, ttl: grant.ttl)
    }
    let attempt = Attempt(
      keys: keys(of: key), lease: lease, hasOwnLease: shared == nil, nonce: .random(),
      holder: holder)
    let result: EtcdTransactionResult
    do throws(EtcdError) {
      result = try await client.transaction(
        attempt.transaction, isRepeatable: true, timeout: timeout(until: deadline))
    } catch {
      if error.kind == .leaseNotFound { pool.drop(lease.lease, ttl: ttl) }
      discard(attempt, mayHaveRun: error.mayHaveRun, ttl: ttl, of: key)
      throw error
    }
    if result.succeeded {
      if result.mayHaveRunBefore { try await bar(attempt, deadline: deadline) }
      return try grant(attempt, createRevision: result.state.revision, ttl: ttl, deadline: deadline)
    }
    guard let first = result.keyValues(at: 0).first else {
      // Void, or the owner went away between two attempts at two members: not ours, nor another's.
      discard(attempt, mayHaveRun: true, ttl: ttl, of: key)
      throw EtcdError(.unavailable, "the lock changed hands just now; try again", mayHaveRun: true)
    }
    if first.key.elementsEqual(attempt.name.utf8), first.value == attempt.value {
      // An earlier attempt of this very call, whose answer was lost.
      try await bar(attempt, deadline: deadline)
      return try grant(attempt, createRevision: first.createRevision, ttl: ttl, deadline: deadline)
    }
    discard(attempt, mayHaveRun: result.mayHaveRunBefore, ttl: ttl, of: key)
    return .taken(await ownership(EtcdLockEntry(first), deadline: deadline))
  }

  private func grant(
    _ attempt: Attempt, createRevision: Int64, ttl: Duration, deadline: Duration
  ) throws(EtcdError) -> LockAcquisition {
    let validUntil = attempt.lease.start + validity(of: attempt.lease.ttl)
    let now = time.now
    guard validUntil > now, deadline > now, !Task.isCancelled else {
      giveBack(.attempt(attempt))
      throw EtcdError(
        Task.isCancelled ? .cancelled : .unavailable, "the answer came too late", mayHaveRun: true)
    }
    let token = Token(attempt.name)
    if attempt.holder.podUID != nil || attempt.hasOwnLease {
      remember(token, attempt.lease.lease, ttl: ttl)
    }
    return .granted(
      LockLease(
        token: token, fencingToken: UInt64(clamping: createRevision), validUntil: validUntil))
  }

  /// Keeps an attempt that was sent to several members from being run once more after the lock was
  /// given up.
  private func bar(_ attempt: Attempt, deadline: Duration) async throws(EtcdError) {
    do throws(EtcdError) {
      _ = try await client.transaction(
        EtcdTransaction(then: [.put(attempt.voidName, "", lease: attempt.lease.lease)]),
        isRepeatable: true, timeout: timeout(until: deadline))
    } catch {
      giveBack(.attempt(attempt))
      throw error
    }
  }

  /// An attempt that came to nothing, as far as is known.
  private func discard(
    _ attempt: Attempt, mayHaveRun: Bool, ttl: Duration, of key: NamespacedKey
  ) {
    if mayHaveRun {
      giveBack(.attempt(attempt))
    } else if attempt.hasOwnLease {
      giveBack(.lease(attempt.lease.lease))
    } else {
      pool.putBack(attempt.lease.lease, for: key, ttl: ttl)
    }
  }

  /// Undoes an attempt, and keeps it from being run later by a member that stood still: without its
  /// lease it cannot be. Where others share the lease, a key says that it is void; that has the same
  /// lease, so it is there for as long as it is needed.
  func void(_ attempt: Attempt, timeout: Duration) async throws(EtcdError) {
    if attempt.hasOwnLease {
      try await client.revoke(attempt.lease.lease, timeout: timeout)
      return
    }
    let undo = EtcdTransaction(
      if: [.value(of: attempt.name, is: attempt.value)], then: [.delete(.key(attempt.name))])
    _ = try await client.transaction(
      EtcdTransaction(
        then: [.put(attempt.voidName, "", lease: attempt.lease.lease), .transaction(undo)]),
      isRepeatable: true, timeout: timeout)
  }
}
