import NIOCore
import Testing

@testable import RedisProxy

/// Commands that are too long to be kept: none of them may be cut at a guess.
@Suite struct LongCommandTests {
  private func start(of words: String...) -> String {
    "*\(words.count + 1)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
      + "$200000\r\n" + String(repeating: "x", count: 70_000)
  }

  private var end: String { String(repeating: "x", count: 130_000) + "\r\n" }

  @Test(arguments: ["EXEC", "DISCARD", "UNWATCH", "GET", "BLPOP", "MULTI", "WATCH", "XREAD"])
  func goOnAConnectionOfTheirOwnAndDisturbNobody(name: String) throws {
    let proxy = try MemoryProxy()
    let (long, other) = (try proxy.connect(), try proxy.connect())
    try long.write(start(of: name))
    let shared = try proxy.shared
    try other.send("GET secret")
    #expect(shared.received == ["GET secret"])
    #expect(shared.partial == 0)
    try shared.answer("$2\r\nme\r\n")
    #expect(try other.received() == "$2\r\nme\r\n")
    #expect(try long.received() == "")
    try long.write(end)
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    #expect(own.received.count == 1)
    try own.answer("-ERR wrong number of arguments\r\n")
    #expect(try long.received() == "-ERR wrong number of arguments\r\n")
  }

  @Test(arguments: ["REPLCONF", "SYNC", "HELLO", "CLIENT", "POST"])
  func whatIsRefusedIsRefusedOnceAndEnds(name: String) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.write(start(of: name))
    let replies = try client.received()
    #expect(replies.split(separator: "\r\n").count == (name == "POST" ? 0 : 1), "\(replies)")
    #expect(!client.isOpen)
  }

  /// The values of a list that cannot be sent must not become commands.
  @Test func whatFindsNoConnectionIsNotCut() throws {
    let proxy = try MemoryProxy { $0.connectTimeout = .seconds(1) }
    let client = try proxy.connect()
    proxy.unplug(1)
    let many = MemoryClient.encode(["RPUSH", "l"] + Array(repeating: "INCR pwned", count: 20_000))
    try client.write(String(many.prefix(ClientInput.limit + 1)))
    proxy.advance(by: .seconds(3))
    let replies = try client.received()
    #expect(replies.hasPrefix("-ERR redis-proxy: the command was not sent"))
    #expect(replies.split(separator: "\r\n").count == 1)
    #expect(!client.isOpen)
    proxy.plug(1)
    proxy.advance(by: .seconds(5))
    #expect(try proxy.shared.received == [])
  }

  @Test func whatBecameCompleteWhileItWaitedIsRefusedAndTheClientGoesOn() throws {
    let proxy = try MemoryProxy { $0.connectTimeout = .seconds(1) }
    let client = try proxy.connect()
    proxy.unplug(1)
    let many = MemoryClient.encode(["RPUSH", "l"] + Array(repeating: "INCR pwned", count: 5_000))
    let middle = many.index(many.startIndex, offsetBy: 70_000)
    try client.write(String(many[..<middle]))
    try client.write(String(many[middle...]))
    proxy.advance(by: .seconds(3))
    #expect(try client.received().split(separator: "\r\n").count == 1)
    #expect(client.isOpen)
    proxy.plug(1)
    proxy.advance(by: .seconds(5))
    try client.send("PING")
    #expect(try proxy.shared.received == ["PING"])
  }

  @Test func aNameWithoutEndIsRefused() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    let head = "*1\r\n$200000\r\n"
    try client.write(head + String(repeating: "x", count: ClientInput.limit - head.utf8.count))
    #expect(try client.received() == "-ERR Protocol error: too big bulk count string\r\n")
    #expect(!client.isOpen)
  }
}
