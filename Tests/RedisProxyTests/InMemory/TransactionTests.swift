import NIOCore
import Testing

@testable import RedisProxy

/// What belongs to a transaction runs in it, or not at all.
@Suite struct TransactionTests {
  private static let queued = "+QUEUED\r\n"

  @Test(arguments: ["MULTI", "WATCH k"])
  func withoutAConnectionForItNothingOfItIsDone(start: String) throws {
    let proxy = try MemoryProxy { $0.connectTimeout = .seconds(1) }
    let client = try proxy.connect()
    // The shared connection lives; the server takes no further ones.
    proxy.refuse(1)
    try client.send(start, "SET a 1", "SET b 2", "EXEC")
    proxy.advance(by: .seconds(3))
    let replies = try client.received()
    #expect(replies.hasPrefix("-ERR redis-proxy: the command was not sent"), "\(replies)")
    #expect(replies.split(separator: "\r\n").count == 1)
    #expect(!client.isOpen)
    #expect(try proxy.shared.received == [])
  }

  @Test(arguments: ["MULTI", "WATCH k"])
  func whatFollowsALostBeginningIsNotDoneOutside(start: String) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send(start, "SET a 1")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    #expect(own.received == [start, "SET a 1"])
    // More of it waits, beyond what may be under way.
    try client.send("SET b 2")
    own.channel.close(promise: nil)
    proxy.run()
    try? client.send("SET c 3")
    #expect(try client.received().contains("may have been executed"))
    #expect(!client.isOpen)
    #expect(proxy.connections(to: 1).allSatisfy { $0.received.isEmpty })
  }

  @Test func afterALostConnectionWithoutATransactionTheClientGoesOn() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("MULTI", "EXEC")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    try own.answer("+OK\r\n")
    try own.answer("*0\r\n")
    own.channel.close(promise: nil)
    try client.send("GET a")
    #expect(client.isOpen)
    #expect(try proxy.shared.received == ["GET a"])
  }

  /// Otherwise what follows would run in the old database.
  @Test(arguments: ["SELECT 3", "AUTH app secret", "HELLO 3"])
  func whoCannotMoveIsClosed(command: String) throws {
    let proxy = try MemoryProxy { $0.connectTimeout = .seconds(1) }
    let client = try proxy.connect()
    proxy.refuse(1)
    try client.send(command, "FLUSHDB")
    proxy.advance(by: .seconds(3))
    #expect(try client.received().split(separator: "\r\n").count == 1)
    #expect(!client.isOpen)
    #expect(try proxy.shared.received == [])
  }

  /// It was asked for with another database.
  @Test func aConnectionThatWasNotNeededIsNotUsedLater() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    proxy.holdsGreetings = true
    let long = MemoryClient.encode(["SET", "k", String(repeating: "x", count: 100_000)])
    try client.write(String(long.prefix(70_000)))
    try client.write(
      String(long.dropFirst(70_000)) + MemoryClient.encode(["SELECT", "3"])
        + MemoryClient.encode(["MULTI"]))
    proxy.holdsGreetings = false
    proxy.run()
    let shared = try #require(proxy.connections(to: 1).first { !$0.received.isEmpty })
    try shared.answer("+OK\r\n")
    proxy.run()
    let multi = try #require(proxy.connections(to: 1).first { $0.received == ["MULTI"] })
    #expect(multi !== shared)
    #expect(try client.received() == "+OK\r\n+OK\r\n")
    #expect(client.handler.own?.key.database == 3)
  }
}
