import EtcdClient

extension EtcdSemaphoreStore {
  package func heartbeat(
    _ key: NamespacedKey, token: Token, as holder: Holder, deadline: Duration
  ) async throws(StoreError) -> Heartbeat {
    let keys = keys(of: key)
    let name = keys.permit(token)
    do throws(EtcdError) {
      let beat = try await heartbeat(keys, name, as: holder, deadline: deadline)
      if beat == .alive { await keepRecord(keys, nil, deadline: deadline) }
      return beat
    } catch {
      throw storeError(error, key)
    }
  }

  private func heartbeat(
    _ keys: EtcdSemaphoreKeys, _ name: String, as holder: Holder, deadline: Duration
  ) async throws(EtcdError) -> Heartbeat {
    while true {
      if let podUID = holder.podUID, let known = known(name), known.podUID == podUID,
        isAbout(known.ttl, staleAfter)
      {
        switch try await keepAlive(name, known, podUID: podUID, deadline: deadline) {
        case .alive: return .alive
        case .gone: return try await lost(keys, name, podUID: podUID, deadline: deadline)
        case .again: break
        }
      }
      guard let entry = try await client.get(name, timeout: timeout(until: deadline)),
        entry.isOpen(to: holder.podUID)
      else { return try await lost(keys, name, podUID: holder.podUID, deadline: deadline) }
      // Always to a new lease, also one that is bound already: an attempt of this Pod's that was given
      // up may still be about to revoke the one that is there.
      if try await bind(name, entry, to: holder, deadline: deadline) { return .alive }
    }
  }

  private enum Renewal {
    case alive
    case gone
    /// The answers do not fit together: look again.
    case again
  }

  private func keepAlive(
    _ name: String, _ permit: Held, podUID: String, deadline: Duration
  ) async throws(EtcdError) -> Renewal {
    let start = time.now
    let kept = try await keepAlive(permit.lease, reading: Array(name.utf8), deadline: deadline)
    guard let entry = kept.keyValue, entry.isBound, entry.isOpen(to: podUID) else { return .gone }
    guard let granted = kept.ttl, entry.lease == permit.lease else { return .again }
    let validUntil = start + validity(of: granted)
    remember(
      name, Held(lease: permit.lease, ttl: granted, validUntil: validUntil, podUID: podUID))
    guard validUntil > time.now else { throw EtcdError(.unavailable, "the answer came too late") }
    return .alive
  }

  /// Gives a permit a lease of its own, of ``staleAfter``, and its holder's name: the hand-over of a
  /// claim, or the first heartbeat after a lifetime that was shorter.
  ///
  /// - Returns: false if the permit has changed meanwhile.
  private func bind(
    _ name: String, _ entry: EtcdKeyValue, to holder: Holder, deadline: Duration
  ) async throws(EtcdError) -> Bool {
    let start = time.now
    let grant = try await client.grantLease(ttl: staleAfter, timeout: timeout(until: deadline))
    let bytes = Array(name.utf8)
    let value = Array(holder.text.utf8)
    let result: EtcdTransactionResult
    do throws(EtcdError) {
      result = try await transact(
        EtcdTransaction(
          if: [EtcdCompare(.key(bytes), .equal, .modRevision(entry.modRevision))],
          then: [.put(key: bytes, value: value, lease: grant.lease)], else: [.get(name)]), deadline)
    } catch {
      // If it may have run, the permit's life is that of the new lease.
      if !error.mayHaveRun { giveBack(.lease(grant.lease)) }
      throw error
    }
    guard result.succeeded || result.keyValues(at: 0).first?.lease == grant.lease else {
      giveBack(.lease(grant.lease))
      return false
    }
    // A claim's lease is others' too, and runs out.
    if entry.isBound, let old = entry.lease { giveBack(.lease(old)) }
    let validUntil = start + validity(of: grant.ttl)
    if let podUID = holder.podUID {
      remember(
        name, Held(lease: grant.lease, ttl: grant.ttl, validUntil: validUntil, podUID: podUID))
    }
    guard validUntil > time.now else {
      throw EtcdError(.unavailable, "the answer came too late", mayHaveRun: true)
    }
    return true
  }

  // MARK: Holders that were reclaimed

  /// The permit is not this Pod's. If this process held it for the Pod until its lease ran out, that
  /// is counted, and told this once.
  ///
  /// The time told is an upper bound: it begins when the permit was no longer certainly ours, though
  /// another may have taken it later. It is zero if all who are in flight now and this one are no
  /// more than the length.
  func lost(
    _ keys: EtcdSemaphoreKeys, _ name: String, podUID: String?, deadline: Duration
  ) async throws(EtcdError) -> Heartbeat {
    guard let known = known(name), known.podUID == podUID else {
      return .lost(overLength: .zero)
    }
    let silence = time.now - known.validUntil
    guard silence > .zero else {
      // Given back by somebody else.
      forget(name)
      return .lost(overLength: .zero)
    }
    while true {
      let look = try await look(keys, deadline: deadline)
      guard var record = look.state.record else { break }
      let over = look.inFlight + 1 > record.length ? silence : .zero
      record.lost += 1
      record.overLengthMilliseconds += over.milliseconds
      let value = record.value
      let result = try await transact(
        EtcdTransaction(
          if: [look.state.unchanged(keys.record)],
          then: [.put(key: Array(keys.record.utf8), value: value, lease: look.state.lease)],
          else: [.get(keys.record)]), deadline)
      // Or written by an attempt whose answer was lost.
      let isOurs = result.mayHaveRunBefore && result.keyValues(at: 0).first?.value == value
      if result.succeeded || isOurs {
        forget(name)
        return .lost(overLength: over)
      }
    }
    // Nobody has settled the semaphore for so long that its record is gone.
    forget(name)
    return .lost(overLength: .zero)
  }
}

extension EtcdKeyValue {
  var holder: Holder? { valueText.flatMap { Holder(parsing: $0) } }
  var isBound: Bool { holder?.podUID != nil }

  /// Whether a permit is unbound, or bound to this Pod.
  func isOpen(to podUID: String?) -> Bool {
    let bound = holder?.podUID
    return bound == nil || bound == podUID
  }
}

extension Duration {
  /// Rounded down.
  fileprivate var milliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
