import NIOCore
import RedisClient
import Testing

@testable import RedisProxy

@Suite struct OwnConnectionTests {
  /// A client that has got a connection of its own and given it back.
  private func used(_ proxy: MemoryProxy) throws -> (client: MemoryClient, own: MemoryServer) {
    let client = try proxy.connect()
    try client.send("BLPOP q 1")
    let own = try #require(proxy.connections(to: 1).last)
    try own.answer("*-1\r\n")
    #expect(try client.received() == "*-1\r\n")
    return (client, own)
  }

  @Test func aCleanOneIsUsedAgain() throws {
    let proxy = try MemoryProxy()
    let (client, own) = try used(proxy)
    try client.send("BLPOP q 1")
    #expect(own.received == ["BLPOP q 1"])
  }

  @Test func idleOnesAreClosedInTime() throws {
    let proxy = try MemoryProxy { $0.maximumIdleTime = .seconds(5) }
    let (_, own) = try used(proxy)
    proxy.advance(by: .seconds(3))
    #expect(own.isOpen)
    proxy.advance(by: .seconds(4))
    #expect(!own.isOpen)
    #expect(proxy.connections(to: 1).count == 1)
  }

  @Test func asManyIdleOnesAsWantedAreKept() throws {
    let proxy = try MemoryProxy {
      $0.minimumIdleConnections = 2
      $0.maximumIdleTime = .seconds(5)
    }
    for _ in 0..<5 { proxy.advance(by: .seconds(1)) }
    let clients = try (0..<4).map { _ in try proxy.connect() }
    for client in clients { try client.send("BLPOP q 1") }
    for server in proxy.connections(to: 1) where !server.received.isEmpty {
      try server.answer("*-1\r\n")
    }
    proxy.run()
    #expect(proxy.lane.pool(UpstreamKey(role: .primary)).own.idle.count == 4)
    for _ in 0..<10 { proxy.advance(by: .seconds(1)) }
    #expect(proxy.lane.pool(UpstreamKey(role: .primary)).own.idle.count == 2)
  }

  @Test func oneThatIsTooOldIsNotUsedAgainEvenIfItWasInUse() throws {
    let proxy = try MemoryProxy {
      $0.maximumLifetime = .seconds(5)
      $0.jitter = 0
    }
    let client = try proxy.connect()
    try client.send("BLPOP q 0")
    let own = try #require(proxy.connections(to: 1).last)
    proxy.advance(by: .seconds(7))
    #expect(own.isOpen)
    try own.answer("*-1\r\n")
    proxy.run()
    #expect(!own.isOpen)
  }

  @Test func oneToAServerThatBecameAReplicaIsNotUsedAgain() throws {
    let proxy = try MemoryProxy {
      $0.primary = [1, 4].map { RedisAddress(host: "127.0.0.1", port: $0) }
    }
    proxy.advance(by: .seconds(1))
    let client = try proxy.connect()
    try client.send("BLPOP q 1")
    let own = try #require(proxy.connections(to: 1).last)
    proxy.becomesReplica(1, true)
    proxy.becomesReplica(4, false)
    try own.answer("-READONLY You can't write against a read only replica.\r\n")
    #expect(try client.received().hasPrefix("-READONLY"))
    #expect(!own.isOpen)
    try client.send("BLPOP q 1")
    #expect(proxy.connections(to: 4).contains { $0.received == ["BLPOP q 1"] })
  }

  @Test func oneThatASlowClientHasStoppedIsNotGivenToAnother() throws {
    let proxy = try MemoryProxy()
    let slow = try proxy.connect()
    try slow.send("MULTI")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    for reply in ["+OK\r\n", "+QUEUED\r\n"] {
      try own.answer(reply)
      if reply == "+OK\r\n" { try slow.send("GET big") }
    }
    try slow.send("EXEC")
    slow.reads(false)
    try own.answer("*1\r\n$3\r\nbig\r\n")
    proxy.run()
    #expect(!own.isOpen)
    let other = try proxy.connect()
    try other.send("BLPOP q 1")
    let next = try proxy.server(MemoryProxy.primary, at: 1)
    try next.answer("*-1\r\n")
    #expect(try other.received() == "*-1\r\n")
  }

  @Test func aWaitAfterWritesIsAboutThemAndAWaitInATransactionIsOneCommand() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("WAIT 1 0")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    #expect(own.received == ["PING", "WAIT 1 0"])
    try own.answer("+PONG\r\n")
    try own.answer(":1\r\n")
    #expect(try client.received() == ":1\r\n")
    try client.send("MULTI", "WAIT 1 0", "EXEC")
    #expect(own.received == ["MULTI", "WAIT 1 0", "EXEC"])
  }

  @Test func manyClientsAtAServerThatIsAwayMakeFewConnections() throws {
    let proxy = try MemoryProxy()
    let clients = try (0..<200).map { _ in try proxy.connect() }
    proxy.unplug(1)
    let before = proxy.attempts
    for client in clients { try client.send("BLPOP q 1") }
    for _ in 0..<50 { proxy.advance(by: .milliseconds(100)) }
    #expect(proxy.attempts - before < 100)
    for _ in 0..<60 { proxy.advance(by: .milliseconds(100)) }
    for client in clients {
      #expect(try client.received().hasPrefix("-ERR redis-proxy: the command was not sent"))
    }
  }

  @Test func clientsThatWaitedGetTheirConnectionsWhenTheServerIsBack() throws {
    let proxy = try MemoryProxy()
    let clients = try (0..<50).map { _ in try proxy.connect() }
    proxy.unplug(1)
    for client in clients { try client.send("BLPOP q 1") }
    proxy.plug(1)
    for _ in 0..<30 { proxy.advance(by: .milliseconds(100)) }
    let asked = proxy.connections(to: 1).filter { $0.received == ["BLPOP q 1"] }
    #expect(asked.count == 50)
    for client in clients { #expect(client.isOpen) }
  }
}
