import RedisClient

extension RedlockStore {
  package func inspect(
    _ key: NamespacedKey, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> LockSnapshot {
    let keys = keys(of: key)
    let timeout = timeout(until: deadline)
    let (observations, tally) = await askAll { node throws(RedisError) in
      try await node.inspect(keys, podUID: podUID, timeout: timeout)
    }
    guard observations.count >= quorum else { throw unavailable(tally, key) }
    var owners = QuorumTally(members: nodes.count)
    for (node, observation) in observations {
      owners.add(observation.owner.map { .others($0) } ?? .free, from: node)
    }
    return LockSnapshot(
      owner: owners.majorityOwner,
      fencingToken: observations.map(\.value.counter).max() ?? 0,
      isOpened: observations.contains { $0.value.isOpened })
  }

  package func check(deadline: Duration) async throws(StoreError) {
    let timeout = timeout(until: deadline)
    let tally = await ask(
      { node throws(RedisError) in
        try await node.ping(timeout: timeout)
        return .free
      }, until: { $0.free.count >= $0.quorum })
    if tally.free.count < quorum { throw unavailable(tally, nil) }
  }

  package func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    let prefix = configuration.keyPrefix
    let (found, tally) = await askAll { node throws(RedisError) in
      try await self.scan(node, prefix: prefix, deadline: deadline)
    }
    guard found.count >= quorum else { throw unavailable(tally, nil) }
    return Set(found.flatMap(\.value)).sorted { $0.description < $1.description }
  }

  private func scan(
    _ node: RedlockNode, prefix: String, deadline: Duration
  ) async throws(RedisError) -> [NamespacedKey] {
    var keys: [NamespacedKey] = []
    try await node.server.scan(
      prefix: prefix, rest: "*/*", type: "string", timeout: { timeout(until: deadline) }
    ) { name in
      if let key = RedlockKeys.lockKey(of: name, prefix: prefix) { keys.append(key) }
    }
    return keys
  }

  package func findings(deadline: Duration) async -> [String] {
    var findings: [String] = []
    for node in nodes {
      findings += await node.server.findings(
        forgettable: "fencing counters and locks", evictable: "locks",
        timeout: timeout(until: deadline))
    }
    return findings
  }

  /// Asks all servers for a value and waits for all of them.
  private func askAll<Value: Sendable>(
    _ question: @escaping @Sendable (RedlockNode) async throws(RedisError) -> Value
  ) async -> (values: [(node: Int, value: Value)], tally: QuorumTally) {
    var values: [(node: Int, value: Value)] = []
    var tally = QuorumTally(members: nodes.count)
    await withTaskGroup(of: (Int, Result<Value, RedisError>).self) { group in
      for node in nodes.indices {
        group.addTask {
          do throws(RedisError) {
            return (node, .success(try await question(self.nodes[node])))
          } catch {
            return (node, .failure(error))
          }
        }
      }
      for await (node, result) in group {
        switch result {
        case .success(let value): values.append((node, value))
        case .failure(let error): tally.add(failure: error.reason, from: node)
        }
      }
    }
    return (values, tally)
  }
}
