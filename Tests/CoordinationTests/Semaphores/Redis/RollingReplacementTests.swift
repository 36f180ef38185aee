import Coordination
import RESP
import Testing

/// This implementation and another one at work on the same keys.
@Suite(.sharedQueues) struct RollingReplacementTests {
  private func other(
    _ name: String, skew: Int = 0
  ) throws -> (other: OtherImplementation, store: RedisSemaphoreStore, key: NamespacedKey) {
    let queue = try #require(SharedQueues.redis)
    let key = NamespacedKey(namespace: "rolling", key: name)
    return (OtherImplementation(queue: queue, key: key, skew: skew), queue.store, key)
  }

  @Test func whatTheOtherHoldsCountsAndIsNotTouched() async throws {
    let (other, store, key) = try other("held")
    try await other.settle(3)
    let value = try #require(try await other.take())
    #expect(try await store.settle(key, 3).numbers == [3, 2, 1])
    let oldest = try #require(try await store.counts(key).oldest)
    #expect(oldest.token == Token(value) && oldest.holder == nil)
    #expect(try await store.permits(key).map(\.token.text) == [value])
    #expect(try await store.pop(key, 3) != nil)
    #expect(try await store.pop(key, 3) != nil)
    #expect(try await store.pop(key, 3) == nil)
    #expect(try await store.settle(key, 3).numbers == [3, 0, 3])
    try await other.heartbeat(value)
    try await other.release(value)
    #expect(try await store.settle(key, 3).numbers == [3, 1, 2])
    let token = try #require(try await store.pop(key, 3))
    #expect(token.text != value)
  }

  @Test func theOthersDeadAreReclaimed() async throws {
    let (other, store, key) = try other("dead")
    try await other.settle(2)
    let value = try #require(try await other.take())
    try await other.queue.age(key, by: .seconds(119))
    #expect(try await store.settle(key, 2).numbers == [2, 1, 1])
    try await other.queue.age(key, by: .seconds(3))
    #expect(try await store.counts(key).stale == 1)
    #expect(try await store.settle(key, 2).numbers == [2, 2, 0])
    // It was alive, and now counts again.
    try await other.heartbeat(value)
    #expect(try await store.settle(key, 2).numbers == [2, 1, 1])
  }

  @Test func whatWeWriteIsReadableByTheOther() async throws {
    let (other, store, key) = try other("readable")
    let mine = try await store.permit(key, of: 3, as: .pod("a", uid: "u1"))
    try await other.settle(3)
    let values = [try await other.take(), try await other.take(), try await other.take()]
    #expect(values.map { $0 != nil } == [true, true, false])
    #expect(try await store.settle(key, 3).numbers == [3, 0, 3])
    #expect(try await store.heartbeat(key, mine, as: .pod("a", uid: "u1")) == .alive)
    #expect(try await store.release(key, mine, "u1"))
    #expect(try await other.take() != nil)
    #expect(try await other.take() == nil)
    for value in values { if let value { try await other.release(value) } }
    #expect(try await store.settle(key, 3).numbers == [3, 2, 1])
  }

  /// It puts our own token into the queue, where it must mean nothing.
  @Test func whenTheOtherReclaimsUsOurTokenIsWorthNothing() async throws {
    let (other, store, key) = try other("reclaims-us")
    let token = try await store.permit(key, of: 1, as: .pod("a", uid: "u1"))
    try await other.queue.age(key, by: .seconds(121))
    try await other.settle(1)
    #expect(try await other.queue.placeholders(key) == [token.text])
    #expect(try await store.settle(key, 1).numbers == [1, 1, 0])
    #expect(try await other.queue.direct.ask("EXISTS", "holder/\(key)").integer == 0)
    let next = try #require(try await store.pop(key, 1, as: .pod("b", uid: "u2")))
    #expect(next != token)
    #expect(
      try await store.heartbeat(key, token, as: .pod("a", uid: "u1")) == .lost(overLength: .zero))
    #expect(try await !store.release(key, token, "u1"))
    #expect(try await store.isInFlight(key, next))
  }

  @Test func aSidecarOfOursMayTakeOverAPermitOfTheOther() async throws {
    let (other, store, key) = try other("taken-over")
    try await other.settle(1)
    let value = Token(try #require(try await other.take()))
    #expect(try await store.heartbeat(key, value, as: .pod("a", uid: "u1")) == .alive)
    #expect(try await store.heartbeat(key, value, as: .pod("b", uid: "u2")).isLost)
    #expect(try await store.counts(key).oldest?.holder?.pod == "a")
    try await other.heartbeat(value.text)
    #expect(try await store.counts(key).oldest?.holder?.pod == "a")
    #expect(try await store.release(key, value, "u1"))
    #expect(try await other.queue.placeholders(key).count == 1)
  }

  @Test func aClockThatIsAnHourAheadKeepsNoPermitForAnHour() async throws {
    let (other, store, key) = try other("ahead", skew: 3600)
    try await other.settle(1)
    let value = try #require(try await other.take())
    #expect(try await store.settle(key, 1).numbers == [1, 0, 1])
    let score = try #require(try await other.queue.heartbeats(key)[value])
    #expect(score <= (try await other.queue.serverTime()))
    try await other.queue.age(key, by: .seconds(110))
    try await other.heartbeat(value)
    #expect(try await store.settle(key, 1).numbers == [1, 0, 1])
    try await other.queue.age(key, by: .seconds(121))
    #expect(try await store.settle(key, 1).numbers == [1, 1, 0])
  }

  /// It says itself that it is silent for an hour. Nobody is let in beyond the length for it.
  @Test func aClockThatIsAnHourBehindIsReclaimedAndCountsAgain() async throws {
    let (other, store, key) = try other("behind", skew: -3600)
    try await other.settle(2, staleAfter: 7200)
    let value = try #require(try await other.take())
    let mine = try await store.permit(key, of: 2, as: .pod("a", uid: "u1"))
    #expect(try await store.counts(key).numbers == [2, 1, 1])
    try await other.heartbeat(value)
    #expect(try await store.pop(key, 2) == nil)
    #expect(try await store.heartbeat(key, mine, as: .pod("a", uid: "u1")) == .alive)
    #expect(try await store.settle(key, 2).numbers == [2, 1, 1])
  }

  /// All that is ours goes by the server's clock: a score that is off is put right.
  @Test func aScoreFromTheFutureIsPutRight() async throws {
    let (other, store, key) = try other("future")
    let holder = Holder.pod("a", uid: "u1")
    let token = try await store.permit(key, of: 1, as: holder)
    try await other.queue.age(key, by: .seconds(-3600))
    #expect(try await store.heartbeat(key, token, as: holder) == .alive)
    #expect(try await store.counts(key).oldest?.silence == .zero)
    #expect(try await store.settle(key, 1).numbers == [1, 0, 1])
    try await other.queue.age(key, by: .seconds(121))
    #expect(try await store.settle(key, 1).numbers == [1, 1, 0])
  }

  @Test func manyWithTheSameHeartbeatAreAllListed() async throws {
    let (other, store, key) = try other("ties")
    try await other.queue.direct.ask(
      "EVAL",
      """
      for place = 1, 3300 do
        redis.call('ZADD', KEYS[1], place < 2400 and 1700000000 or 1700000001, 'permit-' .. place)
      end
      """, "1", "heartbeat/\(key)")
    let permits = try await store.permits(key)
    #expect(permits.count == 3300)
    #expect(Set(permits.map(\.token)).count == 3300)
  }
}
