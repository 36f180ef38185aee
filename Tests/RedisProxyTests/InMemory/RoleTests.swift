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
