import LocalServers
import NIOCore
import RESP
import RedisClient
import Testing

/// Who may enter: passwords, ACL users and old servers.
@Suite(.timeLimit(.minutes(5))) struct RedisClientEntryTests {
  private static let alice = ["--user", "alice", "on", ">s3cret-w0rd", "~*", "+@all"]

  @Test(
    arguments: [
      (["--requirepass", "s3cret-w0rd"], nil),
      (alice + ["--user", "default", "off"], "alice"),
    ] as [([String], String?)])
  func theRightPasswordOpens(arguments: [String], username: String?) async throws {
    try await withServer(
      RedisServer.Settings(arguments: arguments),
      configure: {
        $0.credentials = RedisCredentials(username: username, password: "s3cret-w0rd")
      }
    ) { _, client in
      let reply = try await client.send(RESPCommand("ACL", "WHOAMI"))
      #expect(reply.string == username ?? "default")
    }
  }

  @Test(
    arguments: [
      (["--requirepass", "s3cret-w0rd"], "wr0ng-word", "WRONGPASS"),
      (["--requirepass", "s3cret-w0rd"], nil, "NOAUTH"),
    ] as [([String], String?, String)])
  func theWrongPasswordIsSaidToBeWrong(
    arguments: [String], password: String?, code: String
  ) async throws {
    try await withServer(
      RedisServer.Settings(arguments: arguments),
      configure: { $0.credentials = password.map { RedisCredentials(password: $0) } }
    ) { _, client in
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .notConnected)
      #expect((error?.cause as? RedisError)?.kind == .server(code: code))
      #expect(error?.description.contains("wr0ng-word") == false)
    }
  }

  @Test func redis6SpeaksVersion3() async throws {
    try await withRedis6 { client in
      _ = try await client.send(RESPCommand("HSET", "key", "field", 5))
      let reply = try await client.send(RESPCommand("HGETALL", "key"))
      #expect(reply == .map([RESPMapEntry(key: "field", value: "5")]))
    }
  }

  @Test func aServerWithoutHelloIsSpokenToInVersion2() async throws {
    try await withRedis6(
      ["--rename-command", "HELLO", "", "--requirepass", "s3cret-w0rd"],
      configure: { configuration in
        configuration.credentials = RedisCredentials(password: "s3cret-w0rd")
        configuration.address.database = 2
      }
    ) { client in
      _ = try await client.send(RESPCommand("HSET", "key", "field", 5))
      let reply = try await client.send(RESPCommand("HGETALL", "key"))
      #expect(reply == ["field", "5"])
      #expect(try await client.send(RESPCommand("GET", "none")).isNull)
      #expect(try await client.send(RESPCommand("CLIENT", "GETNAME")).string == "hippocampus")
      let script = RedisScript(name: "pair", source: "return {1, ARGV[1]}")
      let pair = try await client.evaluate(
        script, keys: [], arguments: ["a"], timeout: .seconds(30))
      #expect(pair == [1, "a"])
      let keyspace = try await client.send(RESPCommand("INFO", "keyspace"))
      #expect(keyspace.string?.contains("db2:keys=1") == true)
    }
  }

  private func withRedis6(
    _ arguments: [String] = [],
    configure: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (RedisClient) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let server = try await RedisServer.start(
        RedisServer.Settings(
          arguments: arguments, executable: try await redis6(in: processes)),
        in: processes)
      var configuration = RedisConfiguration.patient(server)
      configure(&configuration)
      try await withClient(configuration) { client in
        let version = try await client.send(RESPCommand("INFO", "server"))
        #expect(version.string?.contains("redis_version:6.2") == true)
        try await body(client)
      }
    }
  }
}
