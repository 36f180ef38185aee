import EtcdClient

extension EtcdSemaphoreStore {
  package func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    do throws(EtcdError) {
      return try await release(keys(of: key), token, podUID: podUID, deadline: deadline)
    } catch {
      throw storeError(error, key)
    }
  }

  /// - Parameter lease: releases only a permit that still has this lease; nil: any.
  func release(
    _ keys: EtcdSemaphoreKeys, _ token: Token, podUID: String?, with lease: EtcdLease? = nil,
    deadline: Duration
  ) async throws(EtcdError) -> Bool {
    let name = keys.permit(token)
    var mayBeDone = false
    while true {
      let read = try await transact(
        EtcdTransaction(then: [.get(name), .get(keys.record)]), deadline)
      guard let entry = read.keyValues(at: 0).first else {
        if mayBeDone {
          forget(name)
        } else if podUID != nil {
          // A Pod whose permit was reclaimed is back here too, if it ends before its next heartbeat.
          _ = try await lost(keys, name, podUID: podUID, deadline: deadline)
        }
        return mayBeDone
      }
      guard entry.isOpen(to: podUID), lease == nil || lease == entry.lease else { return false }
      let state = EtcdSemaphoreState(read.keyValues(at: 1).first)
      let result: EtcdTransactionResult
      do throws(EtcdError) {
        result = try await transact(
          EtcdTransaction(
            if: [
              EtcdCompare(.key(name), .equal, .modRevision(entry.modRevision)),
              state.unchanged(keys.record),
            ],
            then: [.delete(.key(name))]
              + successor(keys, state, deadline: deadline)), deadline)
      } catch  where error.kind == .leaseNotFound {
        // The record and all the queue went just now.
        continue
      }
      if result.succeeded {
        forget(name)
        // A claim's lease is others' too, and runs out.
        if entry.isBound, let lease = entry.lease { giveBack(.lease(lease)) }
        return true
      }
      // Bound meanwhile, or deleted by an attempt whose answer was lost, or settled: look again.
      mayBeDone = mayBeDone || result.mayHaveRunBefore
    }
  }

  /// What comes in place of a permit that is given back: a free one, or, while there are more than
  /// the length, only a note that there is one less.
  private func successor(
    _ keys: EtcdSemaphoreKeys, _ state: EtcdSemaphoreState, deadline: Duration
  ) async throws(EtcdError) -> [EtcdTransaction.Operation] {
    // Without a record nobody knows how many there should be: the next settling will.
    guard var record = state.record else { return [] }
    var isExcess = false
    if record.total > record.length {
      let look = try await look(keys, deadline: deadline)
      isExcess = look.queue + look.inFlight > record.length
    }
    if isExcess {
      record.total -= 1
      return [.put(key: Array(keys.record.utf8), value: record.value, lease: state.lease)]
    }
    return [.put(key: keys.newPlaceholder(), value: [], lease: state.lease)]
  }
}
