import NIOCore
import RedisClient
import Testing

@testable import RedisProxy

/// Many clients do anything in any order, servers answer whenever they like, and everything is cut
/// anywhere: each client still gets the replies to its own commands, in their order.
@Suite struct RandomClientTests {
  /// What one client sends, and what it has to get for that.
  private struct Script {
    var sent = ""
    var expected = ""
    private var count = 0
    private let name: String
    private let blocks: Bool

    init(_ name: String, commands: Int, blocks: Bool, _ random: inout Random) {
      self.name = name
      self.blocks = blocks
      for _ in 0..<commands { add(&random) }
    }

    private mutating func key() -> String {
      count += 1
      return "\(name)-\(count)"
    }

    private mutating func send(_ words: String..., reply: String) {
      sent += MemoryClient.encode(words)
      expected += reply
    }

    private mutating func add(_ random: inout Random) {
      let key = key()
      switch random.below(16) {
      case 0 where blocks: send("BLPOP", key, "0", reply: ServerScript.reply(key))
      case 1:
        send("MULTI", reply: "+OK\r\n")
        var inside = ""
        let count = random.below(4)
        for number in 0..<count {
          send("GET", "\(key).\(number)", reply: "+QUEUED\r\n")
          inside += ServerScript.reply("\(key).\(number)")
        }
        send("EXEC", reply: "*\(count)\r\n" + inside)
      case 2:
        let long = String(repeating: "\r\n", count: 40_000 + random.below(40_000))
        send("SET", key, long, reply: ServerScript.reply(key))
      case 3:
        send("WATCH", key, reply: "+OK\r\n")
        send("GET", key, reply: ServerScript.reply(key))
        send("UNWATCH", reply: "+OK\r\n")
      case 4: send("SELECT", "\(random.below(2))", reply: "+OK\r\n")
      case 5:
        sent += "GET \(key)\r\n"
        expected += ServerScript.reply(key)
      case 6: send("EXEC", key, reply: ServerScript.reply(key))
      case 7, 8, 9: send("INCR", key, reply: ServerScript.reply(key))
      default: send("GET", key, reply: ServerScript.reply(key))
      }
    }
  }

  /// What one connection remembers.
  private struct ServerScript {
    private var queued: [String]?

    static func reply(_ key: String) -> String { "$\(key.utf8.count)\r\n\(key)\r\n" }

    mutating func reply(to command: String) -> String {
      let words = command.split(separator: " ").map(String.init)
      let plain = words.count > 1 ? Self.reply(words[1]) : "+OK\r\n"
      switch words.first {
      case "MULTI":
        queued = []
        return "+OK\r\n"
      case "EXEC" where words.count == 1:
        let all = queued ?? []
        queued = nil
        return "*\(all.count)\r\n" + all.joined()
      case "WATCH", "UNWATCH": return "+OK\r\n"
      default:
        guard queued != nil else { return plain }
        queued?.append(plain)
        return "+QUEUED\r\n"
      }
    }
  }

  @Test(arguments: 0..<12)
  func everyClientGetsItsOwnReplies(seed: Int) throws {
    var random = Random(state: UInt64(seed))
    let proxy = try MemoryProxy(splitsReads: seed % 2 == 0) {
      $0.reader = [2, 3].map { RedisAddress(host: "127.0.0.1", port: $0) }
      $0.maximumIdleConnections = 2
    }
    proxy.advance(by: .seconds(2))
    let clients = try (0..<5).map { _ in try proxy.connect() }
    let scripts = (0..<5).map { Script("c\($0)", commands: 60, blocks: $0 < 3, &random) }
    var left = scripts.map { ByteBuffer(string: $0.sent) }
    var received = Array(repeating: "", count: 5)
    var servers: [ObjectIdentifier: ServerScript] = [:]
    var steps = 0
    while steps < 60_000, zip(received, scripts).contains(where: { $0 != $1.expected }) {
      steps += 1
      let index = random.below(5)
      switch random.below(8) {
      case 0:
        let size = random.below(3) == 0 ? 1 + random.below(60_000) : 1 + random.below(60)
        let piece = left[index].readString(length: min(size, left[index].readableBytes)) ?? ""
        if !piece.isEmpty { try clients[index].write(piece) }
        // Nothing is begun to wait for a client that sends no more.
        if left[index].readableBytes == 0, index >= 3 { clients[index].closeInput() }
      case 1: clients[index].reads(random.below(3) > 0)
      default:
        let waiting = (1...3).flatMap { proxy.connections(to: $0) }.filter { !$0.received.isEmpty }
        guard !waiting.isEmpty else { break }
        let server = waiting[random.below(waiting.count)]
        let reply = servers[ObjectIdentifier(server), default: .init()].reply(
          to: server.received[0])
        let cut = random.below(4) == 0 ? random.below(reply.count) : 0
        if cut > 0 {
          try server.send(String(decoding: Array(reply.utf8).prefix(cut), as: UTF8.self))
        }
        try server.answer(String(decoding: Array(reply.utf8).dropFirst(cut), as: UTF8.self))
      }
      received[index] += try clients[index].received()
    }
    for index in 0..<5 {
      #expect(received[index] == scripts[index].expected, "client \(index), seed \(seed)")
    }
    for client in clients { client.closeInput() }
    #expect(proxy.lane.gate.clients == 0)
    #expect(proxy.lane.pools.values.allSatisfy { $0.own.lentCount == 0 })
  }
}

/// The same numbers for the same state.
struct Random {
  var state: UInt64

  mutating func below(_ limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
  }
}
