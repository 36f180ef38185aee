import RESP
import RedisClient
import Testing

@testable import Coordination

/// What one server does in one atomic step.
@Suite(.sharedServers) struct ScriptTests {
  private let holder = Holder.pod("a", uid: "u1")

  private struct Subject {
    let node: RedlockNode
    let redis: RedisClient
    let key: NamespacedKey
    let keys: RedlockKeys
    let timeout = Duration.seconds(30)
  }

  private func subject(_ name: String) throws -> Subject {
    let cluster = try #require(SharedServers.one)
    let key = NamespacedKey(namespace: "script", key: name)
    return Subject(
      node: cluster.store.nodes[0], redis: cluster.direct[0], key: key,
      keys: cluster.store.keys(of: key))
  }

  @Test func acquiringCountsOnlyWhenItTakes() async throws {
    let subject = try subject("acquire")
    for counter in 1...3 as ClosedRange<UInt64> {
      let record = LockRecord(token: .random(), holder: holder)
      guard
        case .ours(counter) = try await subject.node.acquire(
          subject.keys, record: record, ttl: .seconds(9), timeout: subject.timeout)
      else { return #expect(Bool(false), "not granted as number \(counter)") }
      guard
        case .others(let owner) = try await subject.node.acquire(
          subject.keys, record: LockRecord(token: .random(), holder: holder), ttl: .seconds(9),
          timeout: subject.timeout)
      else { return #expect(Bool(false), "granted twice") }
      #expect(owner.record == record)
      #expect(
        try await subject.node.release(
          subject.keys, token: record.token, podUID: "u1", timeout: subject.timeout))
    }
  }

  @Test func raisingNeverLowersAndNeedsTheLock() async throws {
    let subject = try subject("raise")
    let token = Token.random()
    func raise(_ token: Token, _ counter: UInt64) async throws -> UInt64? {
      try await subject.node.raise(
        subject.keys, token: token, to: counter, ttl: .seconds(9), timeout: subject.timeout)
    }
    #expect(try await raise(token, 5) == nil)
    #expect(try await subject.redis.ask("EXISTS", subject.keys.fence).integer == 0)
    _ = try await subject.node.acquire(
      subject.keys, record: LockRecord(token: token, holder: holder), ttl: .seconds(90),
      timeout: subject.timeout)
    #expect(try await raise(token, 5) == 5)
    #expect(try await raise(token, 5) == 5)
    #expect(try await raise(token, 3) == 5)
    #expect(try await raise(.random(), 9) == nil)
    #expect(try await raise(token, 1 << 53) == 1 << 53)
    let life = try await subject.redis.ask("PTTL", subject.keys.fence).integer
    #expect(try #require(life) > 29 * 24 * 3_600_000)
  }

  @Test func restoringNeverReplacesALockNorLowersACounter() async throws {
    let subject = try subject("restore")
    let record = LockRecord(token: .random(), holder: holder)
    func restore(
      _ counter: UInt64, opened: Bool, replacing stale: String? = nil
    ) async throws -> Bool {
      try await subject.node.restore(
        subject.keys, record: record, podUID: "u1", counter: counter, isOpened: opened,
        replacing: stale.map(Token.init), ttl: .seconds(90), timeout: subject.timeout)
    }
    try await subject.redis.ask("SET", subject.keys.fence, "20")
    #expect(try await restore(7, opened: false))
    func look() async throws -> RedlockNode.Observation {
      try await subject.node.inspect(subject.keys, podUID: "u1", timeout: subject.timeout)
    }
    #expect(try await look().owner?.record == record)
    #expect(try await look().counter == 20)
    #expect(try await !look().isOpened)

    try await subject.redis.ask("SET", subject.keys.lock, "other")
    for stale in [nil, "", "othe", "other2", "stale"] {
      #expect(try await !restore(50, opened: true, replacing: stale))
      #expect(try await look().owner?.record.token.text == "other")
      #expect(try await look().counter == 20)
      #expect(try await !look().isOpened)
    }

    try await subject.redis.ask("DEL", subject.keys.lock)
    #expect(try await restore(50, opened: true, replacing: "other"))
    #expect(try await look().owner?.record == record)
    #expect(try await look().counter == 50)
    #expect(try await look().isOpened)

    // Only the token is compared: whatever else the stale lock says of its holder.
    try await subject.redis.ask("SET", subject.keys.lock, "other u9 {}")
    #expect(try await restore(50, opened: true, replacing: "other"))
    #expect(try await look().owner?.record == record)
  }

  @Test func aServerThatForgotTheScriptsGetsThemAgain() async throws {
    let subject = try subject("flushed")
    for _ in 0..<3 {
      try await subject.redis.ask("SCRIPT", "FLUSH")
      let token = Token.random()
      _ = try await subject.node.acquire(
        subject.keys, record: LockRecord(token: token, holder: holder), ttl: .seconds(90),
        timeout: subject.timeout)
      #expect(
        try await subject.node.release(
          subject.keys, token: token, podUID: "u1", timeout: subject.timeout))
    }
  }

  @Test func aLockLivesNoShorterThanAsked() async throws {
    let subject = try subject("rounded")
    let record = LockRecord(token: .random(), holder: holder)
    _ = try await subject.node.acquire(
      subject.keys, record: record, ttl: .nanoseconds(1), timeout: subject.timeout)
    // 0 ms would have been an error.
    #expect(try await subject.redis.ask("GET", subject.keys.fence).integer == 1)
  }
}
