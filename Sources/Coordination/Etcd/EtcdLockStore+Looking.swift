import EtcdClient

extension EtcdLockStore {
  package func inspect(
    _ key: NamespacedKey, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> LockSnapshot {
    let keys = keys(of: key)
    let first = EtcdRange(.prefix(keys.contenders), limit: 1, order: .createRevision)
    do throws(EtcdError) {
      let result = try await client.transaction(
        EtcdTransaction(
          then: [.range(first)] + (podUID.map { [.get(keys.opened(by: $0))] } ?? [])),
        isRepeatable: true, timeout: timeout(until: deadline))
      let entry = result.keyValues(at: 0).first.map(EtcdLockEntry.init)
      var owner: LockOwnership?
      if let entry { owner = await ownership(entry, deadline: deadline) }
      return LockSnapshot(
        owner: owner, fencingToken: entry?.fencingToken ?? 0,
        isOpened: !result.keyValues(at: 1).isEmpty)
    } catch {
      throw storeError(error, key)
    }
  }

  package func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    var found: Set<NamespacedKey> = []
    let prefix = configuration.keyPrefix
    var range = EtcdRange(.prefix(prefix), limit: 1000, keysOnly: true)
    do throws(EtcdError) {
      while true {
        let page = try await client.range(range, timeout: timeout(until: deadline))
        for keyValue in page.keyValues {
          if let key = EtcdLockKeys.lockKey(of: keyValue.key, prefix: prefix) { found.insert(key) }
        }
        guard page.hasMore, let last = page.keyValues.last else { break }
        range.range = .prefix(prefix, after: last.key)
      }
    } catch {
      throw storeError(error, nil)
    }
    return found.sorted { $0.description < $1.description }
  }

  package func check(deadline: Duration) async throws(StoreError) {
    try await checkMajority(deadline: deadline)
  }

  package func findings(deadline: Duration) async -> [String] {
    await findings(granting: "locks", deadline: deadline)
  }
}
