import EventLoops
import RESP
import RedisClient

extension RedisSemaphoreStore {
  package func counts(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    SemaphoreCounts(
      try await run(RedisSemaphoreScripts.counts, key, [seconds(staleAfter)], deadline))
  }

  package func permit(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws(StoreError) -> Permit? {
    let reply = try await run(RedisSemaphoreScripts.permit, key, [token.text], deadline)
    guard let parts = reply.array, parts.count == 2 else { return nil }
    return Permit(token: token.text, holder: parts[1], silence: parts[0])
  }

  /// Who sends a heartbeat between two pages moves to the end and comes twice: the later one counts.
  package func permits(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> [Permit] {
    let pageSize = 1000
    var found: [Token: (score: Double, permit: Permit)] = [:]
    var from = "-inf"
    var known = 0
    while true {
      let reply = try await run(
        RedisSemaphoreScripts.permits, key, [from, String(known), String(pageSize)], deadline)
      guard let parts = reply.array, parts.count == 3, let page = parts[0].entries,
        let holders = parts[1].array, let now = parts[2].string.flatMap(Double.init)
      else { break }
      for (entry, holder) in zip(page, holders) {
        let score = entry.value.string.flatMap(Double.init) ?? now
        let permit = Permit(
          token: Token(entry.key.string ?? ""), holder: Holder(reply: holder),
          silence: .seconds(min(max(0, now - score), 1e9)))
        found[permit.token] = (score, permit)
      }
      guard page.count == pageSize, let last = page.last?.value.string else { break }
      let ties = page.reversed().prefix { $0.value.string == last }.count
      known = last == from ? known + ties : ties
      from = last
    }
    return found.values.sorted {
      ($0.score, $0.permit.token.text) < ($1.score, $1.permit.token.text)
    }
    .map(\.permit)
  }

  package func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    var keys: Set<NamespacedKey> = []
    do throws(RedisError) {
      for (name, type) in [
        (RedisSemaphoreKeys.queuePrefix, "list"), (RedisSemaphoreKeys.heartbeatPrefix, "zset"),
      ] {
        let prefix = configuration.keyPrefix + name
        try await lanes[lanes.current].scan(
          prefix: prefix, rest: "*/*", type: type, timeout: { timeout(until: deadline) }
        ) { name in
          // As bytes: a combining character would merge with the prefix.
          guard let key = String(name.utf8.dropFirst(prefix.utf8.count)),
            let key = NamespacedKey(parsing: key)
          else { return }
          keys.insert(key)
        }
      }
    } catch {
      throw failure(error, nil)
    }
    return keys.sorted { $0.description < $1.description }
  }

  package func check(deadline: Duration) async throws(StoreError) {
    do throws(RedisError) {
      try await lanes[lanes.current].ping(timeout: timeout(until: deadline))
    } catch {
      throw failure(error, nil)
    }
  }

  package func findings(deadline: Duration) async -> [String] {
    await lanes[lanes.current].findings(
      forgettable: "who holds permits", evictable: "permits", timeout: timeout(until: deadline))
  }
}

extension SemaphoreCounts {
  /// Reads what the scripts' `counts` returns.
  init(_ reply: RESPValue) {
    let parts = reply.array ?? []
    func number(_ place: Int) -> Int? {
      place < parts.count ? parts[place].integer.flatMap { Int(exactly: $0) } : nil
    }
    let token = parts.count == 10 ? parts[7].string : nil
    self.init(
      length: number(0), queue: number(4) ?? 0, inFlight: number(5) ?? 0, stale: number(6) ?? 0,
      oldest: token.map { Permit(token: $0, holder: parts[9], silence: parts[8]) },
      reclaimed: number(1) ?? 0, lost: number(2) ?? 0,
      overLength: .milliseconds(number(3) ?? 0))
  }
}

extension Permit {
  fileprivate init(token: String, holder: RESPValue, silence: RESPValue) {
    self.init(
      token: Token(token), holder: Holder(reply: holder),
      silence: .microseconds(silence.integer ?? 0))
  }
}

extension Holder {
  fileprivate init?(reply: RESPValue) {
    guard let text = reply.string else { return nil }
    self.init(parsing: text)
  }
}
