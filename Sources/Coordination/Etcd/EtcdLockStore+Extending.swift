import EtcdClient
import Synchronization

extension EtcdLockStore {
  package func extend(
    _ key: NamespacedKey, _ lease: LockLease.Known, as holder: Holder, ttl: Duration,
    deadline: Duration
  ) async throws(StoreError) -> LockExtension {
    do throws(EtcdError) {
      let keys = keys(of: key)
      guard let podUID = holder.podUID, keys.mayOwn(lease.token) else {
        return .notHeld(try await owner(keys, deadline: deadline))
      }
      let result = try await extend(
        keys, lease.token, as: holder, podUID: podUID, ttl: ttl, deadline: deadline)
      if case .extended = result, lease.isOpened {
        await keepOpened(keys, token: lease.token, podUID: podUID, deadline: deadline)
      }
      return result
    } catch {
      throw storeError(error, key)
    }
  }

  private func extend(
    _ keys: EtcdLockKeys, _ token: Token, as holder: Holder, podUID: String, ttl: Duration,
    deadline: Duration
  ) async throws(EtcdError) -> LockExtension {
    while true {
      var lease: EtcdLease?
      if let known = held.withLock({ $0[token.bytes] }), known.requestedTTL == ttl {
        lease = known.lease
      } else {
        guard let entry = try await entry(token, deadline: deadline), let holderNow = entry.holder,
          holderNow.podUID == nil || holderNow.podUID == podUID
        else { return try await notHeld(keys, token, deadline: deadline) }
        // Always to a new lease, also one that is bound already: an attempt of this Pod's that was
        // given up may still be about to revoke the one that is there.
        if let moved = try await move(entry, token, as: holder, ttl: ttl, deadline: deadline) {
          return .extended(moved)
        }
        continue
      }
      guard let lease else { continue }
      switch try await keepAlive(
        token, lease, podUID: podUID, ttl: ttl, deadline: deadline)
      {
      case .extended(let extended): return .extended(extended)
      case .gone: return try await notHeld(keys, token, deadline: deadline)
      case .again: forget(token)
      }
      try await pause(until: deadline)
    }
  }

  private enum Renewal {
    case extended(LockLease)
    case gone
    /// The answers do not fit together: look again.
    case again
  }

  /// Keeps the lease alive, then reads the lock.
  private func keepAlive(
    _ token: Token, _ lease: EtcdLease, podUID: String, ttl: Duration, deadline: Duration
  ) async throws(EtcdError) -> Renewal {
    let start = time.now
    let kept = try await keepAlive(lease, reading: token.bytes, deadline: deadline)
    guard let entry = kept.keyValue.map(EtcdLockEntry.init), let holder = entry.holder,
      holder.podUID == podUID
    else {
      forget(token)
      return .gone
    }
    guard let granted = kept.ttl, entry.keyValue.lease == lease else { return .again }
    remember(token, lease, ttl: ttl)
    let validUntil = start + validity(of: granted)
    guard validUntil > time.now else { throw EtcdError(.unavailable, "the answer came too late") }
    return .extended(
      LockLease(token: token, fencingToken: entry.fencingToken, validUntil: validUntil))
  }

  /// Gives the lock's key a new lease, and its holder's name: the hand-over of a claim, or another
  /// time to live. The create revision, and with it order and fencing token, stay.
  ///
  /// - Returns: nil if the lock has changed meanwhile.
  private func move(
    _ entry: EtcdLockEntry, _ token: Token, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(EtcdError) -> LockLease? {
    let start = time.now
    let grant = try await client.grantLease(ttl: ttl, timeout: timeout(until: deadline))
    let value = EtcdLockEntry.value(nonce: .random(), holder: holder)
    let name = token.bytes
    let createRevision = entry.keyValue.createRevision
    let result: EtcdTransactionResult
    do throws(EtcdError) {
      result = try await client.transaction(
        EtcdTransaction(
          if: [
            .value(of: token.text, is: entry.keyValue.value),
            EtcdCompare(.key(name), .equal, .createRevision(createRevision)),
          ], then: [.put(key: name, value: value, lease: grant.lease)],
          else: [.range(EtcdRange(.key(name)))]), isRepeatable: true,
        timeout: timeout(until: deadline))
    } catch {
      // If it may have run, the lock's life is that of the new lease.
      if !error.mayHaveRun { giveBack(.lease(grant.lease)) }
      throw error
    }
    guard result.succeeded || result.keyValues(at: 0).first?.value == value else {
      giveBack(.lease(grant.lease))
      return nil
    }
    // A claim's lease is others' too, and runs out.
    if entry.isBound, let old = entry.keyValue.lease { giveBack(.lease(old)) }
    remember(token, grant.lease, ttl: ttl)
    let validUntil = start + validity(of: grant.ttl)
    guard validUntil > time.now else {
      throw EtcdError(.unavailable, "the answer came too late", mayHaveRun: true)
    }
    return LockLease(
      token: token, fencingToken: entry.fencingToken, validUntil: validUntil)
  }

  private func notHeld(
    _ keys: EtcdLockKeys, _ token: Token, deadline: Duration
  ) async throws(EtcdError) -> LockExtension {
    forget(token)
    return .notHeld(try await owner(keys, deadline: deadline))
  }

  func entry(_ token: Token, deadline: Duration) async throws(EtcdError) -> EtcdLockEntry? {
    try await client.get(token.text, timeout: timeout(until: deadline)).map(EtcdLockEntry.init)
  }

  // MARK: What is known of held locks

  /// Locks that one process holds; beyond that, what is known is learnt anew.
  private static let capacity = 10_000

  func remember(_ token: Token, _ lease: EtcdLease, ttl: Duration) {
    held.withLock { held in
      if held.count >= Self.capacity { held = [:] }
      held[token.bytes] = Held(
        lease: lease, requestedTTL: ttl, openedRenewedAt: held[token.bytes]?.openedRenewedAt)
    }
  }

  func forget(_ token: Token) { held.withLock { $0[token.bytes] = nil } }
}

extension Token {
  var bytes: [UInt8] { Array(text.utf8) }
}
