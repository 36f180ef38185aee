import EventLoops
import RESP
import RedisClient

extension RedisSemaphoreStore {
  package func settle(
    _ key: NamespacedKey, length: Int, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    // The last 12 digits are a running number.
    let placeholder = Token.uuid().text.dropLast(12)
    return SemaphoreCounts(
      try await run(
        RedisSemaphoreScripts.settle, key,
        [String(length), seconds(reclaimedAfter), String(placeholder)], deadline))
  }

  /// Usually ``staleAfter``. When the server has been away, nobody could send a heartbeat, and all
  /// look dead: until they had time to come back, nobody is taken for dead.
  private var reclaimedAfter: Duration {
    guard configuration.isReclaiming else { return Self.never }
    let now = ContinuousClock.now
    let isBackLately = lanes.all.contains { node in
      node.client.lastOutage.map {
        Self.excuses($0.duration, endedAgo: $0.end.duration(to: now), staleAfter: staleAfter)
      } ?? false
    }
    return isBackLately ? Self.never : staleAfter
  }

  private static let never = Duration.seconds(100 * 365 * 86_400)

  /// Whether an outage may be why a holder has not been heard of.
  ///
  /// Heartbeats come more than twice in `staleAfter`, so a holder that lives is not silent for
  /// longer because of a shorter outage. Afterwards clients connect within two seconds.
  static func excuses(_ outage: Duration, endedAgo: Duration, staleAfter: Duration) -> Bool {
    outage >= staleAfter / 4 && endedAgo < max(staleAfter / 8, .seconds(5))
  }

  package func pop(
    _ key: NamespacedKey, length: Int, as holder: Holder, lifetime: Duration, deadline: Duration
  ) async throws(StoreError) -> Token? {
    let token = Token.uuid()
    let lane = lanes.current
    let age = max(.zero, staleAfter - lifetime)
    do throws(RedisError) {
      let reply = try await lanes[lane].run(
        RedisSemaphoreScripts.pop, keys(of: key),
        [String(length), token.text, seconds(age), holder.text], timeout(until: deadline))
      return reply.integer == 1 ? token : nil
    } catch {
      if error.mayHaveRun { giveBack(key, token: token, podUID: holder.podUID, lane: lane) }
      throw failure(error, key)
    }
  }

  package func heartbeat(
    _ key: NamespacedKey, token: Token, as holder: Holder, deadline: Duration
  ) async throws(StoreError) -> Heartbeat {
    let reply =
      try await run(
        RedisSemaphoreScripts.heartbeat, key, [token.text, holder.podUID ?? "", holder.text],
        deadline
      ).array ?? []
    if reply.first?.integer == 1 { return .alive }
    return .lost(overLength: .milliseconds(reply.last?.integer ?? 0))
  }

  package func release(
    _ key: NamespacedKey, token: Token, podUID: String?, deadline: Duration
  ) async throws(StoreError) -> Bool {
    do throws(RedisError) {
      return try await release(
        GiveBack(key: key, token: token, podUID: podUID, lane: lanes.current),
        timeout: timeout(until: deadline))
    } catch {
      throw failure(error, key)
    }
  }

  func release(_ item: GiveBack, timeout: Duration) async throws(RedisError) -> Bool {
    let reply = try await lanes[item.lane].run(
      RedisSemaphoreScripts.release, keys(of: item.key),
      [item.token.text, item.podUID ?? "", Token.uuid().text], timeout)
    return reply.integer == 1
  }

  package func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    giveBack(key, token: token, podUID: podUID, lane: lanes.current)
  }

  private func giveBack(_ key: NamespacedKey, token: Token, podUID: String?, lane: Int) {
    giveBacks.add(GiveBack(key: key, token: token, podUID: podUID, lane: lane))
  }
}
