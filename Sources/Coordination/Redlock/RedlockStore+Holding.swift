import Logging
import RedisClient
import Synchronization

extension RedlockStore {
  /// Also puts the lock onto the servers that do not have it: those that came back empty, and those
  /// where another token stands.
  ///
  /// The latter are there after a server was away while its lock was released, and came back with
  /// it. Left alone, they make the quorum depend on every other server. While a quorum is ours, a
  /// token on a minority can only become a quorum's if its attempt is still being counted while we
  /// let go; when it is known for longer than an attempt takes (``StrayTokens``), it never can.
  /// Then it is replaced, by comparison with exactly the token that was seen: what came there since
  /// stays.
  package func extend(
    _ key: NamespacedKey, _ lease: LockLease.Known, as holder: Holder, ttl: Duration,
    deadline: Duration
  ) async throws(StoreError) -> LockExtension {
    let record = LockRecord(token: lease.token, holder: holder)
    let podUID = holder.podUID ?? ""
    let keys = keys(of: key)
    let start = time.now
    let timeout = timeout(until: deadline)
    // Waits for every server, within its time: what lost the lock is to get it back.
    let tally = await ask(
      { node throws(RedisError) in
        try await node.extend(
          keys, record: record, podUID: podUID, fencingToken: lease.fencingToken,
          isOpened: lease.isOpened, ttl: ttl, timeout: timeout)
      }, until: { _ in false })
    guard tally.ours.count >= quorum else {
      if tally.isCertainlyNotOurs || tally.majorityOwner != nil {
        return .notHeld(tally.majorityOwner ?? tally.others.first?.owner)
      }
      throw unavailable(tally, key)
    }
    var fencingToken = lease.fencingToken
    if fencingToken == nil {
      fencingToken = await settleFence(
        keys, token: lease.token, tally: tally, ttl: ttl, deadline: deadline)
    }
    let validUntil = start + validity(of: ttl)
    guard let fencingToken, validUntil > time.now else { throw unavailable(tally, key) }
    let stale = staleTokens(tally, key, since: start)
    await restore(
      keys, record, podUID: podUID, counter: fencingToken, isOpened: lease.isOpened, ttl: ttl,
      on: tally.free.map { ($0, nil) } + stale, deadline: deadline)
    return .extended(
      LockLease(token: lease.token, fencingToken: fencingToken, validUntil: validUntil))
  }

  /// The servers with a token that can be no quorum's any more, and that token.
  private func staleTokens(
    _ tally: QuorumTally, _ key: NamespacedKey, since start: Duration
  ) -> [(node: Int, stale: Token?)] {
    let others = tally.others.map { (node: $0.node, stale: $0.owner.record.token) }
    let settled = strayTokens.withLock {
      $0.see(
        Set(others.map(\.stale)), of: key, start: start, now: time.now,
        settling: configuration.attemptTime)
    }
    return others.filter { settled.contains($0.stale) }.map { ($0.node, $0.stale) }
  }

  /// Puts the lock onto servers that do not have it, so that the quorum does not erode.
  private func restore(
    _ keys: RedlockKeys, _ record: LockRecord, podUID: String, counter: UInt64, isOpened: Bool,
    ttl: Duration, on targets: [(node: Int, stale: Token?)], deadline: Duration
  ) async {
    if targets.isEmpty { return }
    let timeout = timeout(until: deadline)
    await withDiscardingTaskGroup { group in
      for (node, stale) in targets {
        group.addTask {
          do throws(RedisError) {
            let isRestored = try await self.nodes[node].restore(
              keys, record: record, podUID: podUID, counter: counter, isOpened: isOpened,
              replacing: stale, ttl: ttl, timeout: timeout)
            if isRestored, stale != nil {
              self.logger.notice(
                "stale lock replaced on a server",
                metadata: ["node": "\(self.nodes[node].name)"])
            }
          } catch {
            // The next renewal tries again.
            self.logger.info(
              "lock could not be restored on a server that lost it",
              metadata: ["node": "\(self.nodes[node].name)", "reason": "\(error.reason)"])
          }
        }
      }
    }
  }

  package func recordOpened(
    _ key: NamespacedKey, token: Token, podUID: String, deadline: Duration
  ) async throws(StoreError) -> Bool {
    let keys = keys(of: key)
    let timeout = timeout(until: deadline)
    let tally = await ask(
      { node throws(RedisError) in
        try await node.recordOpened(keys, token: token, podUID: podUID, timeout: timeout)
          ? .ours(counter: 0) : .free
      }, until: { $0.ours.count >= $0.quorum || $0.isCertainlyNotOurs })
    if tally.ours.count >= quorum { return true }
    if tally.isCertainlyNotOurs { return false }
    throw unavailable(tally, key)
  }

  package func forgetOpened(
    _ key: NamespacedKey, podUID: String, deadline: Duration
  ) async throws(StoreError) {
    let keys = keys(of: key)
    let timeout = timeout(until: deadline)
    let tally = await ask(
      { node throws(RedisError) in
        try await node.forgetOpened(keys, podUID: podUID, timeout: timeout)
        return .free
      }, until: { _ in false })
    // A quorum must have forgotten, or the next look may still find it.
    if tally.free.count < quorum { throw unavailable(tally, key) }
  }

  package func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    let keys = keys(of: key)
    let timeout = timeout(until: deadline)
    let lane = currentLane
    strayTokens.withLock { $0.forget(key) }
    // Also the servers that seem to fail are asked; a quorum without the lock frees it.
    let tally = await ask(
      on: lane,
      { node throws(RedisError) in
        try await node.release(keys, token: token, podUID: podUID, timeout: timeout)
          ? .ours(counter: 0) : .free
      }, until: { _ in false })
    if tally.failures.count > nodes.count - quorum { throw unavailable(tally, key) }
    // A server that is away may come back with the lock, which is nobody's then.
    giveBack(key, token: token, podUID: podUID, on: tally.failures.map(\.node), lane: lane)
    return !tally.ours.isEmpty
  }
}
