import Logging
import RedisClient

extension RedlockStore {
  package func extend(
    _ key: LockKey, _ lease: LockLease.Known, as holder: LockHolder, ttl: Duration,
    deadline: Duration
  ) async throws(LockStoreError) -> LockExtension {
    let record = LockRecord(token: lease.token, holder: holder)
    let podUID = holder.podUID ?? ""
    let keys = keys(of: key)
    let start = time.now
    let timeout = timeout(until: deadline)
    // Waits for every server, within its time: what lost the lock is to get it back.
    let tally = await ask(
      { node throws(RedisError) in
        try await node.extend(
          keys, record: record, podUID: podUID, fencingToken: lease.fencingToken, ttl: ttl,
          timeout: timeout)
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
    await restore(
      keys, record, podUID: podUID, counter: fencingToken, isOpened: lease.isOpened, ttl: ttl,
      on: tally.free, deadline: deadline)
    return .extended(
      LockLease(token: lease.token, fencingToken: fencingToken, validUntil: validUntil))
  }

  /// Puts the lock back onto servers that came back empty, so that the quorum does not erode.
  private func restore(
    _ keys: RedlockKeys, _ record: LockRecord, podUID: String, counter: UInt64, isOpened: Bool,
    ttl: Duration, on empty: [Int], deadline: Duration
  ) async {
    if empty.isEmpty { return }
    let timeout = timeout(until: deadline)
    await withDiscardingTaskGroup { group in
      for node in empty {
        group.addTask {
          do throws(RedisError) {
            try await self.nodes[node].restore(
              keys, record: record, podUID: podUID, counter: counter, isOpened: isOpened,
              ttl: ttl, timeout: timeout)
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
    _ key: LockKey, token: LockToken, podUID: String, deadline: Duration
  ) async throws(LockStoreError) -> Bool {
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
    _ key: LockKey, podUID: String, deadline: Duration
  ) async throws(LockStoreError) {
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
    _ key: LockKey, token: LockToken, podUID: String?, deadline: Duration
  ) async throws(LockStoreError) -> Bool {
    let keys = keys(of: key)
    let timeout = timeout(until: deadline)
    // Also the servers that seem to fail are asked; a quorum without the lock frees it.
    let tally = await ask(
      { node throws(RedisError) in
        try await node.release(keys, token: token, podUID: podUID, timeout: timeout)
          ? .ours(counter: 0) : .free
      }, until: { _ in false })
    if tally.failures.count > nodes.count - quorum { throw unavailable(tally, key) }
    return !tally.ours.isEmpty
  }
}
