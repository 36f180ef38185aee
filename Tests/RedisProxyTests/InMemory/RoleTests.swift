import NIOCore
import RedisClient
import Testing

@testable import RedisProxy

@Suite struct RoleTests {
  private static let readOnly = "-READONLY You can't write against a read only replica.\r\n"

  private func pair() throws -> MemoryProxy {
    let proxy = try MemoryProxy {
      $0.primary = [1, 4].map { RedisAddress(host: "127.0.0.1", port: $0) }
    }
    proxy.advance(by: .seconds(2))
    return proxy
  }

  @Test func aFailoverMovesAllConnections() throws {
    let proxy = try pair()
    let client = try proxy.connect()
    try client.send("SET a 1")
    proxy.becomesReplica(1, true)
    proxy.becomesReplica(4, false)
    let former = try #require(proxy.connections(to: 1).first { $0.received == ["SET a 1"] })
    try former.answer(Self.readOnly)
    #expect(try client.received() == Self.readOnly)
    try client.send("SET a 1")
    proxy.advance(by: .seconds(1))
    #expect(proxy.connections(to: 4).contains { $0.received == ["SET a 1"] })
    #expect(!former.isOpen)
  }

  @Test func aReplicaStandsInOnlyUntilThePrimaryIsBack() throws {
    let proxy = try pair()
    proxy.unplug(1)
    proxy.advance(by: .seconds(3))
    let client = try proxy.connect()
    try client.send("GET a")
    let standIn = try #require(proxy.connections(to: 4).first { $0.received == ["GET a"] })
    try standIn.answer("$-1\r\n")
    #expect(try client.received() == "$-1\r\n")
    proxy.plug(1)
    proxy.advance(by: .seconds(8))
    #expect(!standIn.isOpen)
    try client.send("GET b", "BLPOP q 0")
    proxy.run()
    #expect(proxy.connections(to: 4).allSatisfy { $0.received.isEmpty })
    #expect(proxy.connections(to: 1).contains { $0.received == ["GET b"] })
  }

  @Test func aStandInThatBecomesThePrimaryStays() throws {
    let proxy = try pair()
    proxy.unplug(1)
    proxy.advance(by: .seconds(3))
    let standIn = try #require(proxy.connections(to: 4).first)
    proxy.becomesReplica(4, false)
    proxy.becomesReplica(1, true)
    proxy.plug(1)
    proxy.advance(by: .seconds(8))
    #expect(standIn.isOpen)
    let client = try proxy.connect()
    try client.send("SET a 1")
    #expect(standIn.received == ["SET a 1"])
    #expect(proxy.connections(to: 1).isEmpty)
  }

  /// What comes back first may be a login.
  @Test func noReplicaIsAddedBesideThePrimary() throws {
    let proxy = try pair()
    let client = try proxy.connect()
    proxy.unplug(1)
    proxy.unplug(4)
    proxy.advance(by: .seconds(4))
    try client.send("HELLO 2")
    proxy.plug(1)
    proxy.plug(4)
    proxy.advance(by: .seconds(12))
    #expect(!proxy.connections(to: 1).isEmpty)
    #expect(proxy.connections(to: 4).isEmpty)
  }

  @Test func anErrorThatOnlyLooksLikeAFailoverChangesNothing() throws {
    let proxy = try pair()
    let client = try proxy.connect()
    for reply in [Self.readOnly, "-LOADING x\r\n", "-MASTERDOWN x\r\n"] {
      try client.send("EVAL return redis.error_reply(x) 0")
      let primary = try #require(proxy.connections(to: 1).first { !$0.received.isEmpty })
      try primary.answer(reply)
      #expect(try client.received() == reply)
      #expect(primary.isOpen)
    }
    #expect(proxy.lane.metrics.roleLookups == 0)
  }

  @Test func aReplicaThatLostItsPrimaryIsLeft() throws {
    let proxy = try MemoryProxy(splitsReads: true) {
      $0.reader = [2, 3].map { RedisAddress(host: "127.0.0.1", port: $0) }
    }
    proxy.advance(by: .seconds(2))
    #expect(proxy.connections(to: 2).count == 1)
    #expect(proxy.connections(to: 3).count == 1)
    proxy.isLinked(2, false)
    proxy.advance(by: .seconds(2))
    #expect(proxy.connections(to: 2).isEmpty)
    let client = try proxy.connect()
    try client.send("GET a", "GET b")
    #expect(try proxy.server(3).received == ["GET a", "GET b"])
    proxy.isLinked(2, true)
    for _ in 0..<10 { proxy.advance(by: .seconds(1)) }
    #expect(proxy.connections(to: 2).count == 1)
  }

  @Test func whoMayNotAskForTheRoleGetsThePrimaryAllTheSame() throws {
    let proxy = try pair()
    proxy.mayNotAsk = true
    for _ in 0..<4 {
      let client = try proxy.connect()
      try client.send("AUTH app secret", "BLPOP q 0")
      #expect(try client.received() == "+OK\r\n")
    }
    #expect(proxy.connections(to: 1).filter { $0.received == ["BLPOP q 0"] }.count == 4)
    #expect(proxy.connections(to: 4).isEmpty)
  }

  @Test func manyLoginsAreMadeAFewAtATime() throws {
    let proxy = try MemoryProxy()
    proxy.holdsGreetings = true
    let clients = try (0..<100).map { _ in try proxy.connect() }
    for client in clients { try client.send("AUTH secret") }
    #expect(proxy.connections(to: 1).count <= 33)
    proxy.holdsGreetings = false
    proxy.run()
    for client in clients { #expect(try client.received() == "+OK\r\n") }
  }
}
