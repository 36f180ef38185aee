import RESP
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
    var cursor = "0"
    // The prefix may hold what SCAN takes for a pattern.
    let pattern = prefix.map { "*?[]\\^".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "*/*"
    repeat {
      let reply = try await node.send(
        RESPCommand(
          "SCAN", .string(cursor), "MATCH", .string(pattern), "COUNT", "1000", "TYPE", "string"),
        timeout(until: deadline))
      cursor = reply.array?.first?.string ?? "0"
      for key in reply.array?.last?.array ?? [] {
        if let key = key.string.flatMap({ RedlockKeys.lockKey(of: $0, prefix: prefix) }) {
          keys.append(key)
        }
      }
    } while cursor != "0"
    return keys
  }

  package func findings(deadline: Duration) async -> [String] {
    var findings: [String] = []
    for node in nodes {
      let timeout = timeout(until: deadline)
      if let appendOnly = await node.setting("appendonly", timeout: timeout) {
        let isSynced = await node.setting("appendfsync", timeout: timeout) == "always"
        if appendOnly != "yes" || !isSynced {
          findings.append(
            "\(node.name) may forget fencing counters and locks when it restarts: set appendonly"
              + " yes and appendfsync always")
        }
      }
      if let policy = await node.setting("maxmemory-policy", timeout: timeout),
        policy != "noeviction"
      {
        findings.append(
          "\(node.name) may evict locks (maxmemory-policy is \(policy)): set it to noeviction")
      }
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
