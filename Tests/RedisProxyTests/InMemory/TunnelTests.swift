import NIOCore
import Testing

@testable import RedisProxy

/// Connections that belong to one client for as long as it lives, or until `RESET`.
@Suite struct TunnelTests {
  private static let subscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"

  private func subscribe(_ proxy: MemoryProxy) throws -> (MemoryClient, MemoryServer) {
    let client = try proxy.connect()
    try client.send("SUBSCRIBE c")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    try own.answer(Self.subscribed)
    #expect(try client.received() == Self.subscribed)
    return (client, own)
  }

  @Test func whatComesPassesHoweverItIsCut() throws {
    let proxy = try MemoryProxy()
    let (client, own) = try subscribe(proxy)
    let message = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$8\r\n+RESET\r\n\r\n"
    for end in 0...message.utf8.count {
      try own.send(String(message.prefix(end)))
      try own.send(String(message.dropFirst(end)))
    }
    var replies = ""
    while true {
      let more = try client.received()
      if more.isEmpty { break }
      replies += more
    }
    #expect(replies == String(repeating: message, count: message.utf8.count + 1))
    #expect(own.isOpen)
  }

  @Test(arguments: [1, 4, 8])
  func resetEndsItAndTheClientSharesAgain(cut: Int) throws {
    let proxy = try MemoryProxy()
    let (client, own) = try subscribe(proxy)
    try client.send("PING", "RESET", "GET a")
    #expect(own.received == ["PING", "RESET"])
    try own.answer("*2\r\n$4\r\npong\r\n$0\r\n\r\n")
    #expect(own.isOpen)
    #expect(try proxy.shared.received == [])
    let reply = "+RESET\r\n"
    try own.send(String(reply.prefix(cut)))
    try own.send(String(reply.dropFirst(cut)))
    #expect(try client.received() == "*2\r\n$4\r\npong\r\n$0\r\n\r\n+RESET\r\n")
    #expect(!own.isOpen)
    try #require(proxy.shared.received == ["GET a"])
    try proxy.shared.answer("$-1\r\n")
    #expect(try client.received() == "$-1\r\n")
  }

  @Test func aResetThatIsRefusedEndsNothing() throws {
    let proxy = try MemoryProxy()
    let (client, own) = try subscribe(proxy)
    try client.send("RESET")
    try client.send("GET a")
    #expect(own.received == ["RESET"])
    let error = "-NOPERM User app has no permissions to run the 'reset' command\r\n"
    try own.answer(error)
    proxy.run()
    #expect(own.received == ["GET a"])
    #expect(try client.received() == error)
    try client.send("RESET x")
    try client.send("GET b")
    #expect(own.received == ["GET a", "RESET x", "GET b"])
  }

  @Test func anErrorBeforeTheReplyToAResetIsNotItsRefusal() throws {
    let proxy = try MemoryProxy()
    let (client, own) = try subscribe(proxy)
    try client.send("GET x", "RESET", "GET a")
    #expect(own.received == ["GET x", "RESET"])
    try own.answer("-ERR Can't execute 'get': only (P|S)SUBSCRIBE / PING / QUIT\r\n")
    #expect(own.isOpen)
    #expect(own.received == ["RESET"])
    try own.answer("+RESET\r\n")
    proxy.run()
    #expect(!own.isOpen)
    #expect(try proxy.shared.received == ["GET a"])
  }

  @Test func aServerThatHangsUpBeforeItsReplyEndsTheClient() throws {
    let proxy = try MemoryProxy()
    let (client, own) = try subscribe(proxy)
    try client.send("RESET")
    own.channel.close(promise: nil)
    proxy.run()
    #expect(!client.isOpen)
    #expect(proxy.lane.gate.clients == 0)
  }

  @Test func longCommandsPassInPieces() throws {
    let proxy = try MemoryProxy()
    let (client, own) = try subscribe(proxy)
    let long = MemoryClient.encode(["PING", String(repeating: "x", count: 300_000)])
    try client.write(String(long.prefix(200_000)))
    #expect(own.partial > 100_000)
    try client.write(String(long.dropFirst(200_000)) + MemoryClient.encode(["PING"]))
    #expect(own.received.count == 2)
  }
}
