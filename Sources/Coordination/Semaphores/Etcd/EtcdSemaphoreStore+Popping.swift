import EtcdClient

extension EtcdSemaphoreStore {
  /// One try to take a permit.
  struct Attempt: Sendable {
    let keys: EtcdSemaphoreKeys
    let holder: Holder
    let lease: LeasePool.Lease
    let token: Token
    /// The free permit that is taken. Its name never comes again, so that the attempt can succeed
    /// but once, and not any more when it is gone.
    let placeholder: EtcdKeyValue
    /// Further conditions.
    let guards: [EtcdCompare]

    var name: String { keys.permit(token) }
    var value: [UInt8] { Array(holder.text.utf8) }

    func transaction(or next: EtcdSemaphoreKeys.Place) -> EtcdTransaction {
      EtcdTransaction(
        if: [EtcdCompare(.key(placeholder.key), .greater, .createRevision(0))] + guards,
        then: [
          .delete(.key(placeholder.key)),
          .put(key: Array(name.utf8), value: value, lease: lease.lease),
        ], else: [.get(name), .get(keys.record)] + next.operations)
    }
  }

  package func pop(
    _ key: NamespacedKey, length: Int, as holder: Holder, lifetime: Duration, deadline: Duration
  ) async throws(StoreError) -> Token? {
    let ttl = min(lifetime, staleAfter)
    let keys = keys(of: key)
    do throws(EtcdError) {
      do throws(EtcdError) {
        return try await pop(keys, length: length, as: holder, ttl: ttl, deadline: deadline)
      } catch  where error.kind == .leaseNotFound {
        // The lease of the pool ran out or was lost: the next one is fresh.
        return try await pop(keys, length: length, as: holder, ttl: ttl, deadline: deadline)
      }
    } catch {
      throw storeError(error, key)
    }
  }

  private func pop(
    _ keys: EtcdSemaphoreKeys, length: Int, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(EtcdError) -> Token? {
    var place = keys.place(expecting: length)
    var read = try await transact(
      EtcdTransaction(then: [.get(keys.record)] + place.operations), deadline)
    var first = 0
    var own: LeasePool.Lease?
    defer { if let own { giveBack(.lease(own.lease)) } }
    while true {
      guard
        let placeholder = read.keyValues(at: first + 1).first ?? read.keyValues(at: first + 2).first
      else {
        // Empty, or only this part of it.
        if place.part.utf8.elementsEqual(keys.queue.utf8) { return nil }
        place = keys.place(expecting: 0)
        first = 0
        read = try await transact(
          EtcdTransaction(then: [.get(keys.record)] + place.operations), deadline)
        continue
      }
      guard
        let guards = try await room(
          keys, EtcdSemaphoreState(read.keyValues(at: first).first), length: length,
          deadline: deadline)
      else { return nil }
      let lease: LeasePool.Lease
      if holder.podUID == nil {
        lease = try await pool.lease(ttl: ttl, deadline: deadline)
      } else if let own {
        lease = own
      } else {
        let start = time.now
        let grant = try await client.grantLease(ttl: ttl, timeout: timeout(until: deadline))
        lease = LeasePool.Lease(lease: grant.lease, start: start, ttl: grant.ttl)
        own = lease
      }
      let attempt = Attempt(
        keys: keys, holder: holder, lease: lease, token: .permit(revision: read.state.revision),
        placeholder: placeholder, guards: guards)
      place = keys.place(expecting: length)
      do throws(EtcdError) {
        read = try await transact(attempt.transaction(or: place), deadline)
      } catch {
        if error.kind == .leaseNotFound { pool.drop(lease.lease, ttl: ttl) }
        if error.mayHaveRun {
          own = nil
          giveBack(.attempt(attempt))
        }
        throw error
      }
      if read.succeeded || read.keyValues(at: 0).first != nil {
        own = nil
        return try grant(attempt)
      }
      if read.mayHaveRunBefore {
        // The first member that was asked may run it yet.
        own = nil
        giveBack(.attempt(attempt))
      }
      first = 1
    }
  }

  /// Whether fewer than `length` are in flight.
  ///
  /// If there are no more permits than that, there is room wherever one is free. Else they are
  /// counted, and none may be taken meanwhile.
  ///
  /// - Returns: on what conditions; nil: there is no room.
  private func room(
    _ keys: EtcdSemaphoreKeys, _ state: EtcdSemaphoreState, length: Int, deadline: Duration
  ) async throws(EtcdError) -> [EtcdCompare]? {
    if let total = state.record?.total, total <= length { return [] }
    let inFlight = EtcdKeyRange.prefix(keys.inFlight)
    let result = try await client.range(
      EtcdRange(inFlight, countOnly: true), timeout: timeout(until: deadline))
    guard result.count < length else { return nil }
    return [EtcdCompare(inFlight, .less, .modRevision(result.state.revision + 1))]
  }

  private func grant(_ attempt: Attempt) throws(EtcdError) -> Token {
    let validUntil = attempt.lease.start + validity(of: attempt.lease.ttl)
    guard validUntil > time.now, !Task.isCancelled else {
      giveBack(.attempt(attempt))
      throw EtcdError(
        Task.isCancelled ? .cancelled : .unavailable, "the answer came too late", mayHaveRun: true)
    }
    if let podUID = attempt.holder.podUID {
      remember(
        attempt.name,
        Held(
          lease: attempt.lease.lease, ttl: attempt.lease.ttl, validUntil: validUntil,
          podUID: podUID))
    }
    return attempt.token
  }

  /// Undoes an attempt, and keeps it from being run later by a member that stood still: without the
  /// placeholder that it would take it cannot be, so that is replaced by another.
  func void(_ attempt: Attempt, deadline: Duration) async throws {
    let old = attempt.placeholder
    do throws(EtcdError) {
      _ = try await transact(
        EtcdTransaction(
          if: [EtcdCompare(.key(old.key), .greater, .createRevision(0))],
          then: [
            .delete(.key(old.key)),
            .put(key: attempt.keys.newPlaceholder(), value: [], lease: old.lease),
          ]), deadline)
    } catch  where error.kind == .leaseNotFound {
      // All the queue is gone.
    }
    // Unless the Pod found the permit, and lives with it.
    _ = try await release(
      attempt.keys, attempt.token, podUID: attempt.holder.podUID, with: attempt.lease.lease,
      deadline: deadline)
    if attempt.holder.podUID != nil {
      try await client.revoke(attempt.lease.lease, timeout: timeout(until: deadline))
    }
  }
}
