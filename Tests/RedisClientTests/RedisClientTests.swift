import LocalServers
import NIOCore
import NIOPosix
import RESP
import RedisClient
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisClientTests {
  @Test func everyCommandGetsItsOwnReply() async throws {
    try await withServer { _, client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<50 {
          group.addTask {
            for round in 0..<100 {
              let text = "\(task)-\(round)"
              let reply = try await client.send(RESPCommand("ECHO", .string(text)))
              #expect(reply.string == text)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func commandsBeforeTheFirstConnectionWaitForIt() async throws {
    try await withRedisServers(count: 1) { servers in
      let client = RedisClient(
        configuration: .patient(servers[0]),
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          let reply = try await client.send(RESPCommand("PING"))
          #expect(reply.string == "PONG")
        }
        group.addTask { try await client.run() }
        try await group.next()
        group.cancelAll()
      }
    }
  }

  @Test func anErrorReplyIsThrownWithItsCode() async throws {
    try await withServer { server, client in
      _ = try await client.send(RESPCommand("SET", "key", "text"))
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("LPUSH", "key", "a"))
      }
      #expect(error?.kind == .server(code: "WRONGTYPE"))
      #expect(error?.address == server.address)
      #expect(error?.mayHaveRun == true)
      #expect(try await client.send(RESPCommand("GET", "key")).string == "text")
    }
  }

  @Test func aMapComesAsAMapInVersion3() async throws {
    try await withServer { _, client in
      _ = try await client.send(RESPCommand("HSET", "key", "field", 5))
      let reply = try await client.send(RESPCommand("HGETALL", "key"))
      #expect(reply == .map([RESPMapEntry(key: "field", value: "5")]))
      #expect(try await client.send(RESPCommand("GET", "none")).isNull)
    }
  }

  @Test func bigBulksGoThroughUnharmed() async throws {
    try await withServer { _, client in
      let bytes = ByteBuffer(repeating: 0xA5, count: 12 << 20)
      async let small = client.send(RESPCommand("ECHO", "small"))
      _ = try await client.send(RESPCommand("SET", "key", .bytes(bytes)))
      let reply = try await client.send(RESPCommand("GET", "key"))
      #expect(reply.bytes == bytes)
      let other = try await small
      #expect(other.string == "small")
    }
  }

  @Test func aScriptIsSentAgainToAServerThatForgotIt() async throws {
    let script = RedisScript(
      name: "add", source: "return redis.call('INCRBY', KEYS[1], ARGV[1]) + ARGV[2]")
    try await withServer { _, client in
      for expected in [15, 20] {
        let reply = try await client.evaluate(
          script, keys: ["counter"], arguments: [5, "10"], timeout: .seconds(30))
        #expect(reply.integer == Int64(expected))
      }
      _ = try await client.send(RESPCommand("SCRIPT", "FLUSH"))
      let reply = try await client.evaluate(
        script, keys: ["counter"], arguments: [5, 10], timeout: .seconds(30))
      #expect(reply.integer == 25)
      let statistics = try await client.send(RESPCommand("INFO", "commandstats"))
      #expect(statistics.string?.contains("cmdstat_eval:calls=2,") == true)
      #expect(statistics.string?.contains("cmdstat_evalsha:calls=3,") == true)
    }
  }

  @Test func anErrorInAScriptIsNotTriedAgain() async throws {
    let script = RedisScript(name: "broken", source: "return redis.call('NO SUCH COMMAND')")
    try await withServer { _, client in
      let error = await #expect(throws: RedisError.self) {
        try await client.evaluate(script, keys: [], timeout: .seconds(30))
      }
      #expect(error?.kind == .server(code: "ERR"))
    }
  }

  @Test func aDatabaseOtherThanTheFirst() async throws {
    try await withRedisServers(count: 1) { servers in
      var configuration = RedisConfiguration.patient(servers[0])
      configuration.address.database = 3
      try await withClient(configuration) { third in
        _ = try await third.send(RESPCommand("SET", "key", "third"))
      }
      try await withClient(.patient(servers[0])) { first in
        #expect(try await first.send(RESPCommand("EXISTS", "key")).integer == 0)
        _ = try await first.send(RESPCommand("SELECT", 3))
        #expect(try await first.send(RESPCommand("GET", "key")).string == "third")
      }
    }
  }

  @Test func theServerKnowsTheClientsName() async throws {
    try await withServer(configure: { $0.clientName = "a b c" }) { _, client in
      let name = try await client.send(RESPCommand("CLIENT", "GETNAME"))
      #expect(name.string == "abc")
    }
  }
}
