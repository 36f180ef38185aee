import NIOCore
import RedisClient
import Testing

@testable import RedisProxy

@Suite struct SplitReadTests {
  @Test func repliesComeInTheOrderOfTheCommands() throws {
    let proxy = try MemoryProxy(splitsReads: true)
    let client = try proxy.connect()
    try client.send("SET a 1", "GET a", "GET b", "INCR n", "GET c")
    let (primary, replica) = (try proxy.shared, try proxy.server(2))
    #expect(primary.received == ["SET a 1", "INCR n"])
    #expect(replica.received == ["GET a", "GET b", "GET c"])
    try replica.answer("$1\r\n1\r\n")
    try replica.answer("$1\r\n2\r\n")
    #expect(try client.received() == "")
    try primary.answer("+OK\r\n")
    #expect(try client.received() == "+OK\r\n$1\r\n1\r\n$1\r\n2\r\n")
    try replica.answer("$1\r\n3\r\n")
    try primary.answer(":1\r\n")
    #expect(try client.received() == ":1\r\n$1\r\n3\r\n")
  }

  @Test func aReplicaThatWasStoppedForHeldRepliesGoesOnWhenTheyAreOut() throws {
    let proxy = try MemoryProxy(splitsReads: true)
    let client = try proxy.connect()
    try client.send("INCR n", "GET a", "INCR n", "GET a", "GET a")
    let (primary, replica) = (try proxy.shared, try proxy.server(2))
    let large = "$700000\r\n" + String(repeating: "x", count: 700_000) + "\r\n"
    try replica.answer(large)
    try replica.answer(large)
    let reader = try #require(proxy.lane.pool(UpstreamKey(role: .reader)).shared.all.first)
    #expect(reader.stalledBy === client.handler)
    try primary.answer(":1\r\n")
    #expect(try client.received().utf8.count == large.utf8.count + 4)
    #expect(reader.stalledBy == nil)
    try primary.answer(":2\r\n")
    try replica.answer(large)
    #expect(try client.received().utf8.count == 2 * large.utf8.count + 4)
  }

  @Test func readsFollowAWriteFromItsSendingUntilAWhileAfterItsReply() throws {
    let proxy = try MemoryProxy(splitsReads: true) { $0.readYourWrites = .seconds(2) }
    let client = try proxy.connect()
    try client.send("GET a")
    try proxy.server(2).answer("$-1\r\n")
    try client.send("SET a 1")
    proxy.advance(by: .seconds(10))
    try client.send("GET a")
    let primary = try proxy.shared
    #expect(primary.received == ["SET a 1", "GET a"])
    try primary.answer("+OK\r\n")
    try primary.answer("$1\r\n1\r\n")
    proxy.advance(by: .seconds(1))
    try client.send("GET b")
    #expect(primary.received == ["GET b"])
    try primary.answer("$-1\r\n")
    proxy.advance(by: .seconds(2))
    try client.send("GET c")
    #expect(try proxy.server(2).received == ["GET c"])
  }
}
