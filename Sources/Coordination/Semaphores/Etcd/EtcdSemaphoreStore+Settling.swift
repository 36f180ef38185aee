import EtcdClient

extension EtcdSemaphoreStore {
  /// A semaphore at one moment.
  struct Look: Sendable {
    let state: EtcdSemaphoreState
    let queue: Int
    let inFlight: Int
    /// The permit that was taken first.
    let oldest: EtcdKeyValue?

    /// Counting costs etcd a walk over names in memory, and the oldest is the first of them.
    static func operations(_ keys: EtcdSemaphoreKeys) -> [EtcdTransaction.Operation] {
      [
        .get(keys.record), .range(EtcdRange(.prefix(keys.queue), countOnly: true)),
        .range(EtcdRange(.prefix(keys.inFlight), countOnly: true)),
        .range(EtcdRange(.prefix(keys.inFlight), limit: 1)),
      ]
    }

    init(_ result: EtcdTransactionResult) {
      state = EtcdSemaphoreState(result.keyValues(at: 0).first)
      queue = result.count(at: 1)
      inFlight = result.count(at: 2)
      oldest = result.keyValues(at: 3).first
    }
  }

  func look(_ keys: EtcdSemaphoreKeys, deadline: Duration) async throws(EtcdError) -> Look {
    Look(try await transact(EtcdTransaction(then: Look.operations(keys)), deadline))
  }

  /// Step by step: each leaves a queue and a record that fit together, so that what comes after a
  /// deadline, or after a crash, goes on from there.
  package func settle(
    _ key: NamespacedKey, length: Int, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    let keys = keys(of: key)
    var isStated = false
    do throws(EtcdError) {
      while true {
        let look = try await look(keys, deadline: deadline)
        // Another has stated a length since this call did, and the last one counts.
        let isOvertaken = isStated && look.state.record?.length != length
        guard !isOvertaken,
          let change = EtcdSemaphoreRecord.change(
            of: look.state.record, queue: look.queue, inFlight: look.inFlight, length: length,
            step: EtcdSemaphoreRecord.step(nameLength: keys.newPlaceholder().count))
        else {
          await keepRecord(keys, look.state.lease, deadline: deadline)
          return try await counts(look, keys, deadline: deadline)
        }
        isStated = try await apply(change, keys, look.state, deadline: deadline) || isStated
      }
    } catch {
      throw storeError(error, key)
    }
  }

  /// - Returns: false if the record has changed meanwhile.
  private func apply(
    _ change: EtcdSemaphoreRecord.Change, _ keys: EtcdSemaphoreKeys, _ state: EtcdSemaphoreState,
    deadline: Duration
  ) async throws(EtcdError) -> Bool {
    var granted: EtcdLease?
    if state.lease == nil {
      granted = try await client.grantLease(
        ttl: Self.retention, timeout: timeout(until: deadline)
      ).lease
    }
    let lease = state.lease ?? granted
    var operations: [EtcdTransaction.Operation] = []
    for _ in 0..<change.filled {
      operations.append(.put(key: keys.newPlaceholder(), value: [], lease: lease))
    }
    if change.trimmed > 0 {
      let names = EtcdRange(.prefix(keys.queue), limit: change.trimmed, keysOnly: true)
      for placeholder in try await client.range(names, timeout: timeout(until: deadline)).keyValues
      {
        operations.append(.delete(.key(placeholder.key)))
      }
    }
    do throws(EtcdError) {
      let result = try await transact(
        EtcdTransaction(
          if: [state.unchanged(keys.record)],
          then: [.put(key: Array(keys.record.utf8), value: change.record.value, lease: lease)]
            + operations.inTransactions), deadline)
      if !result.succeeded, !result.mayHaveRunBefore, let granted { giveBack(.lease(granted)) }
      return result.succeeded
    } catch {
      if !error.mayHaveRun, let granted { giveBack(.lease(granted)) }
      // The record and all the queue went just now.
      if error.kind == .leaseNotFound, granted == nil { return false }
      throw error
    }
  }

  /// The oldest permit's silence takes one more question.
  func counts(
    _ look: Look, _ keys: EtcdSemaphoreKeys, deadline: Duration
  ) async throws(EtcdError) -> SemaphoreCounts {
    var oldest: Permit?
    if let entry = look.oldest {
      oldest = permit(
        entry, keys, silence: try await silence(of: entry.lease, deadline: deadline) ?? .zero)
    }
    let record = look.state.record
    return SemaphoreCounts(
      length: record?.length, queue: look.queue, inFlight: look.inFlight, stale: 0, oldest: oldest,
      reclaimed: record?.reclaimed ?? 0, lost: record?.lost ?? 0,
      overLength: .milliseconds(record?.overLengthMilliseconds ?? 0))
  }
}

extension [EtcdTransaction.Operation] {
  /// In transactions of a hundred: etcd counts the operations of each one by itself, by default to
  /// 128, less those of the transaction around it.
  fileprivate var inTransactions: [EtcdTransaction.Operation] {
    stride(from: 0, to: count, by: 100).map {
      .transaction(EtcdTransaction(then: Array(self[$0..<Swift.min($0 + 100, count)])))
    }
  }
}

extension EtcdTransactionResult {
  /// How many keys the range at this place of the branch has.
  func count(at index: Int) -> Int {
    guard results.indices.contains(index), case .range(let range) = results[index] else { return 0 }
    return range.count
  }
}
