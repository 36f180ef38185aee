import RedisClient

extension RedlockStore {
  package func acquire(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async throws(StoreError) -> LockAcquisition {
    var pause = configuration.retryDelay
    var lastSplit: QuorumTally?
    while true {
      let isCutShort = deadline - time.now < configuration.nodeTimeout
      let (outcome, tally) = await attempt(key, as: holder, ttl: ttl, deadline: deadline)
      switch outcome {
      case .granted(let lease): return .granted(lease)
      case .taken(let owner): return .taken(owner)
      case .unavailable:
        // The deadline came into the last attempt: what it did not hear says nothing of the servers.
        if let lastSplit, isCutShort, !Task.isCancelled { throw contended(lastSplit, key) }
        throw unavailable(tally, key)
      case .split: lastSplit = tally
      }
      // Contenders that split the vote come back at different times, so that one is alone.
      let delay = pause * Double.random(in: 0.1...1)
      guard time.now + delay < deadline, (try? await time.sleep(for: delay)) != nil else {
        throw Task.isCancelled ? unavailable(tally, key) : contended(tally, key)
      }
      pause = min(pause * 2, configuration.retryDelay * 8)
    }
  }

  private enum Outcome {
    case granted(LockLease)
    case taken(LockOwnership)
    case split
    case unavailable
  }

  /// One try with a token of its own. What is not granted is given back.
  private func attempt(
    _ key: NamespacedKey, as holder: Holder, ttl: Duration, deadline: Duration
  ) async -> (Outcome, QuorumTally) {
    let token = Token.random()
    let record = LockRecord(token: token, holder: holder)
    let keys = keys(of: key)
    let start = time.now
    let timeout = timeout(until: deadline)
    let lane = currentLane
    let tally = await ask(
      on: lane,
      { node throws(RedisError) in
        try await node.acquire(keys, record: record, ttl: ttl, timeout: timeout)
      }, until: { $0.decision != nil })
    if case .ours? = tally.decision, !Task.isCancelled {
      let fencingToken = await settleFence(
        keys, token: token, tally: tally, ttl: ttl, deadline: deadline)
      let lease = fencingToken.map {
        LockLease(token: token, fencingToken: $0, validUntil: start + validity(of: ttl))
      }
      if let lease, lease.validUntil > time.now { return (.granted(lease), tally) }
    }
    // Servers that said "another's" have nothing of ours, nor have those that nothing was sent to;
    // all others may.
    let unreached = tally.failures.filter { !$0.mayHaveRun }.map(\.node)
    let clean = Set(tally.others.map(\.node) + unreached)
    giveBack(
      key, token: token, podUID: holder.podUID,
      on: nodes.indices.filter { !clean.contains($0) }, lane: lane)
    return switch tally.decision {
    case .others(let owner): (.taken(owner), tally)
    case .split: (.split, tally)
    case .ours, .unavailable, nil: (.unavailable, tally)
    }
  }

  /// Makes the greatest counter that any granting server reported the counter of a quorum.
  ///
  /// Why fencing tokens grow: the quorum of the next grant shares a server with this one, and on it
  /// our lock went away only after the counter had reached this token. That needs servers that keep
  /// their data. A server that took the lock late may have a greater counter: then an extension that
  /// knows only the token finds a greater fencing token for the same holder, never a smaller one.
  ///
  /// - Returns: the fencing token, or nil if no quorum could be brought to it in time.
  func settleFence(
    _ keys: RedlockKeys, token: Token, tally: QuorumTally, ttl: Duration, deadline: Duration
  ) async -> UInt64? {
    var counters = tally.ours
    while true {
      let target = counters.reduce(0) { max($0, $1.counter) }
      if counters.count(where: { $0.counter == target }) >= quorum { return target }
      let timeout = timeout(until: deadline)
      guard timeout > .zero, !Task.isCancelled else { return nil }
      let raised = await ask(
        { node throws(RedisError) in
          let counter = try await node.raise(
            keys, token: token, to: target, ttl: ttl, timeout: timeout)
          return counter.map { .ours(counter: $0) } ?? .free
        }, until: { tally in tally.ours.count(where: { $0.counter == target }) >= tally.quorum })
      guard raised.ours.count >= quorum else { return nil }
      counters = raised.ours
    }
  }
}
