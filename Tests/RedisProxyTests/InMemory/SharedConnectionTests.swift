import NIOCore
import Testing

@testable import RedisProxy

@Suite struct SharedConnectionTests {
  @Test(arguments: [
    "XREAD COUNT 1 COUNT 1 COUNT 1 COUNT 1 BLOCK 0 STREAMS s $", "xread block\0 0 streams s $",
    "SCRIPT DEBUG YES", "SCRIPT DEBUG SYNC", "CLIENT NOSUCH", "BLPOP q 0", "brpoplpush a b 0",
  ])
  func whatStopsOrChangesAConnectionDoesNotGoThere(command: String) throws {
    let proxy = try MemoryProxy()
    let (client, other) = (try proxy.connect(), try proxy.connect())
    try client.send(command)
    try other.send("GET a")
    #expect(try proxy.shared.received == ["GET a"])
    #expect(try proxy.server(MemoryProxy.primary, at: 1).received.count == 1)
  }

  @Test(arguments: ["SCRIPT LOAD x", "SCRIPT DEBUG NO", "XREAD STREAMS s 0", "CLIENT LIST"])
  func whatLeavesNothingBehindGoesThere(command: String) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send(command)
    #expect(try proxy.shared.received.count == 1)
  }

  @Test(arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\n\r\n"])
  func anotherProtocolEndsThatClientAlone(text: String) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.write(text)
    let shared = try proxy.shared
    while !shared.received.isEmpty { try shared.answer("-ERR wrong number of arguments\r\n") }
    _ = try client.received()
    #expect(!client.isOpen)
    #expect(shared.isOpen)
  }

  @Test(arguments: ["CLIENT KILL ID 7", "CLIENT LIST ID 1 2", "CLIENT KILL TYPE normal ID 3"])
  func clientsAreNotNamedByTheProxysNumbers(command: String) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send(command)
    #expect(try client.received().hasPrefix("-ERR redis-proxy: CLIENT"))
  }

  @Test func whoWaitsForAStoppedConnectionGoesOnWhenItDoes() throws {
    let proxy = try MemoryProxy()
    let (slow, other) = (try proxy.connect(), try proxy.connect())
    try slow.send("GET big")
    slow.reads(false)
    let shared = try proxy.shared
    try shared.send("$10\r\nbig")
    proxy.run()
    proxy.unplug(5)
    try other.send("GET a")
    // Nothing but a new connection, which is there at once.
    let second = try proxy.server(MemoryProxy.primary, at: 1)
    #expect(second.received == ["GET a"])
  }

  @Test func whoWaitsGoesOnWhenAConnectionThatWasStoppedGoesOn() throws {
    let proxy = try MemoryProxy { $0.connectTimeout = .seconds(5) }
    let (slow, other) = (try proxy.connect(), try proxy.connect())
    try slow.send("GET big")
    slow.reads(false)
    let shared = try proxy.shared
    try shared.send("$10\r\nbig")
    proxy.refuse(1)
    try other.send("GET a")
    #expect(shared.received == ["GET big"])
    slow.reads(true)
    #expect(shared.received == ["GET big", "GET a"])
  }

  @Test func nobodyWaitsForALongerTimeThanTheConnectTimeout() throws {
    let proxy = try MemoryProxy { $0.connectTimeout = .seconds(5) }
    let client = try proxy.connect()
    proxy.unplug(1)
    try client.send("GET a")
    for _ in 0..<8 { proxy.advance(by: .seconds(1)) }
    #expect(try client.received().hasPrefix("-ERR redis-proxy: the command was not sent"))
    try client.send("SELECT 3")
    #expect(try client.received() == "")
    for _ in 0..<8 { proxy.advance(by: .seconds(1)) }
    #expect(try client.received().hasPrefix("-ERR redis-proxy: the command was not sent"))
  }
}
