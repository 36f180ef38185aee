import NIOCore
import Testing

@testable import RedisProxy

/// Clients that send no more, and a proxy that stops: what was received is done, and nothing is left
/// behind.
@Suite struct EndingTests {
  @Test func allThatWasReceivedIsDone() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("INCR a", "SELECT 0", "INCR a")
    client.closeInput()
    let shared = try proxy.shared
    try shared.answer(":1\r\n")
    #expect(try client.received() == ":1\r\n+OK\r\n")
    #expect(shared.received == ["INCR a"])
    try shared.answer(":2\r\n")
    #expect(try client.received() == ":2\r\n")
    #expect(!client.isOpen)
  }

  @Test(arguments: [true, false])
  func aLongPipelineIsDoneToItsEnd(isDraining: Bool) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.write(String(repeating: MemoryClient.encode(["INCR", "a"]), count: 4000))
    if isDraining { proxy.lane.drain() } else { client.closeInput() }
    let shared = try proxy.shared
    var replies = 0
    while client.isOpen, !shared.received.isEmpty {
      for _ in shared.received { try shared.answer(":1\r\n") }
      replies += try client.received().split(separator: "\r\n").count
    }
    #expect(replies == 4000)
    #expect(!client.isOpen)
  }

  @Test(arguments: [true, false])
  func whatBlocksIsNotBegunForNobody(hasCommandBefore: Bool) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    if hasCommandBefore { try client.send("INCR n", "BLPOP q 0") } else { proxy.unplug(1) }
    if !hasCommandBefore { try client.send("BLPOP q 0") }
    client.closeInput()
    if !hasCommandBefore { proxy.plug(1) }
    proxy.advance(by: .seconds(3))
    if hasCommandBefore {
      try proxy.shared.answer(":1\r\n")
      #expect(try client.received() == ":1\r\n")
    }
    #expect(!client.isOpen)
    for server in proxy.connections(to: 1) { #expect(server.received.isEmpty) }
    #expect(proxy.lane.gate.clients == 0)
  }

  @Test(arguments: ["BLPOP q 0", "SUBSCRIBE c", "WAIT 1 0", "XREAD BLOCK 0 STREAMS s $"])
  func whatWaitsEndsWithItsClient(command: String) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send(command)
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    client.closeInput()
    #expect(!client.isOpen)
    #expect(!own.isOpen)
  }

  @Test func whatWaitsWithAWatchEndsWithItsClient() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("WATCH k")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    try own.answer("+OK\r\n")
    try client.send("BLPOP q 0")
    client.closeInput()
    #expect(!client.isOpen)
    #expect(!own.isOpen)
  }

  @Test func aTransactionThatWasReceivedIsDone() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("MULTI", "BLPOP q 0", "EXEC")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    client.closeInput()
    for reply in ["+OK\r\n", "+QUEUED\r\n", "*1\r\n*-1\r\n"] { try own.answer(reply) }
    #expect(try client.received() == "+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n")
    #expect(!client.isOpen)
  }

  @Test(arguments: [
    "*2\r\n$3\r\nGE",
    "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$200000\r\n" + String(repeating: "x", count: 70_000),
  ])
  func halfACommandKeepsNothing(half: String) throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("MULTI")
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    try own.answer("+OK\r\n")
    try client.write(half)
    client.closeInput()
    #expect(!client.isOpen)
    #expect(!own.isOpen)
    #expect(proxy.lane.gate.clients == 0)
  }

  @Test func aLongCommandThatIsCompleteIsAnswered() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.write(
      MemoryClient.encode(["SET", "a", String(repeating: "x", count: 300_000)])
        + MemoryClient.encode(["INCR", "n"]))
    let own = try proxy.server(MemoryProxy.primary, at: 1)
    client.closeInput()
    try own.answer("+OK\r\n")
    #expect(try client.received() == "+OK\r\n")
    try proxy.shared.answer(":1\r\n")
    #expect(try client.received() == ":1\r\n")
    #expect(!client.isOpen)
  }

  @Test func aLongCommandMayBeFinishedWhileTheProxyStops() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    let long = MemoryClient.encode(["SET", "a", String(repeating: "x", count: 300_000)])
    try client.write(String(long.prefix(100_000)))
    proxy.lane.drain()
    #expect(client.isOpen)
    try client.write(String(long.dropFirst(100_000)))
    try proxy.server(MemoryProxy.primary, at: 1).answer("+OK\r\n")
    #expect(try client.received() == "+OK\r\n")
    #expect(!client.isOpen)
  }

  @Test func aClientThatComesWhileTheProxyStopsIsNotCounted() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("INCR a")
    proxy.lane.drain()
    let late = try proxy.connect()
    #expect(!late.isOpen)
    #expect(proxy.lane.gate.clients == 1)
    try proxy.shared.answer(":1\r\n")
    #expect(try client.received() == ":1\r\n")
    #expect(proxy.lane.gate.clients == 0)
  }

  @Test func nothingIsDoneAfterQuit() throws {
    let proxy = try MemoryProxy()
    let client = try proxy.connect()
    try client.send("INCR a", "QUIT", "INCR a")
    try client.send("INCR a")
    #expect(try proxy.shared.received == ["INCR a"])
    try proxy.shared.answer(":1\r\n")
    #expect(try client.received() == ":1\r\n+OK\r\n")
    #expect(!client.isOpen)
  }
}
