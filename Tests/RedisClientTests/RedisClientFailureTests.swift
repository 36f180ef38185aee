import LocalServers
import NIOCore
import NIOPosix
import RESP
import RedisClient
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisClientFailureTests {
  @Test func aKilledServerIsNamedAndFoundAgain() async throws {
    try await withServer { server, client in
      _ = try await client.send(RESPCommand("PING"))
      try await server.kill()
      let reason = try await client.waitUntilFailing()
      #expect(reason.message == "connection refused")
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .notConnected)
      #expect(error?.mayHaveRun == false)
      #expect(
        error?.description == "Redis \(server.address): PING: not sent, there is no connection: "
          + "connection refused")
      try await server.restart()
      try await client.waitUntilAnswered()
    }
  }

  @Test func aCommandUnderWayWhenTheServerDiesMayHaveRun() async throws {
    try await withServer { server, client in
      _ = try await client.send(RESPCommand("PING"))
      try await server.pause()
      async let reply = client.send(RESPCommand("INCR", "counter"))
      // The server does not read, so the command has left once a second one times out.
      let second = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"), timeout: .milliseconds(100))
      }
      #expect(second?.kind == .timedOut)
      try await server.kill()
      do {
        _ = try await reply
        Issue.record("a dead server has answered")
      } catch let error as RedisError {
        #expect(error.kind == .connectionClosed)
        #expect(error.mayHaveRun)
      }
    }
  }

  @Test func aPausedServerRunsLateCommandsBeforeLaterOnes() async throws {
    try await withServer { server, client in
      _ = try await client.send(RESPCommand("SET", "log", "-"))
      try await server.pause()
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("APPEND", "log", "acquire "), timeout: .milliseconds(100))
      }
      #expect(error?.kind == .timedOut)
      #expect(error?.mayHaveRun == true)
      async let release = client.send(RESPCommand("APPEND", "log", "release"))
      server.resume()
      let length = try await release
      #expect(length.integer == 16)
      #expect(try await client.send(RESPCommand("GET", "log")).string == "-acquire release")
      let connections = try await client.send(RESPCommand("INFO", "stats"))
      #expect(connections.string?.contains("total_connections_received:1\r\n") == true)
    }
  }

  @Test func aCancelledCommandLeavesTheConnectionSound() async throws {
    try await withServer { server, client in
      _ = try await client.send(RESPCommand("PING"))
      try await server.pause()
      let first = await #expect(throws: RedisError.self) {
        try await withThrowingTaskGroup(of: RESPValue.self) { group in
          group.addTask { try await client.send(RESPCommand("ECHO", "late")) }
          group.addTask {
            // Its time-out shows that the command in front of it has been sent.
            try await client.send(RESPCommand("ECHO", "later"), timeout: .milliseconds(200))
          }
          let outcome = await group.nextResult()
          group.cancelAll()
          let other = await group.nextResult()
          guard case .failure(let error as RedisError) = outcome else { return }
          #expect(error.kind == .timedOut)
          _ = try other?.get()
        }
      }
      #expect(first?.kind == .cancelled)
      server.resume()
      #expect(try await client.send(RESPCommand("ECHO", "now")).string == "now")
    }
  }

  @Test func aTaskCancelledBeforehandSendsNothing() async throws {
    try await withServer { _, client in
      _ = try await client.send(RESPCommand("PING"))
      await withTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask {
          let error = await #expect(throws: RedisError.self) {
            try await client.send(RESPCommand("INCR", "counter"))
          }
          #expect(error?.kind == .cancelled)
          #expect(error?.mayHaveRun == false)
        }
      }
      #expect(try await client.send(RESPCommand("EXISTS", "counter")).integer == 0)
    }
  }

  @Test func tooManyPendingCommandsFailAtOnce() async throws {
    try await withServer(configure: { $0.maximumPendingCommands = 3 }) { server, client in
      _ = try await client.send(RESPCommand("PING"))
      try await server.pause()
      try await withThrowingTaskGroup(of: RedisError?.self) { group in
        for _ in 0..<4 {
          group.addTask {
            do throws(RedisError) {
              _ = try await client.send(RESPCommand("PING"))
              return nil
            } catch {
              return error
            }
          }
        }
        let refused = try await group.next() ?? nil
        #expect(refused?.kind == .tooManyPending)
        #expect(refused?.mayHaveRun == false)
        server.resume()
        for try await error in group { #expect(error == nil) }
      }
      #expect(try await client.send(RESPCommand("PING")).string == "PONG")
    }
  }

  @Test func aStalledConnectionIsReplaced() async throws {
    try await withServer(configure: { $0.stallLimit = .milliseconds(300) }) { server, client in
      _ = try await client.send(RESPCommand("PING"))
      try await server.pause()
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .connectionClosed)
      #expect(error?.description.contains("no reply for 0.3 seconds") == true)
      server.resume()
      try await client.waitUntilAnswered()
    }
  }

  @Test func nobodyListensThere() async throws {
    let port = try FreePort.next()
    let address = RedisAddress(host: "127.0.0.1", port: port)
    try await withClient(RedisConfiguration(address: address)) { client in
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .notConnected)
      #expect(error?.description.hasSuffix("connection refused") == true)
    }
  }

  @Test func aNameThatDoesNotExist() async throws {
    var configuration = RedisConfiguration(address: RedisAddress(host: "no-such-host.invalid"))
    configuration.connectTimeout = .seconds(20)
    try await withClient(configuration) { client in
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .notConnected)
      #expect(error?.description.contains("cannot resolve the name") == true)
    }
  }

  @Test func someoneListensWhoNeverAnswers() async throws {
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let address = RedisAddress(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
    var configuration = RedisConfiguration(address: address)
    configuration.connectTimeout = .milliseconds(200)
    try await withClient(configuration) { client in
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .notConnected)
      #expect(
        error?.description.hasSuffix("connected, but no reply to HELLO within 0.2 seconds") == true)
    }
    try await listener.close()
  }

  @Test func aGracefulShutdownEndsTheClient() async throws {
    try await withRedisServers(count: 1) { servers in
      let client = RedisClient(
        configuration: .patient(servers[0]),
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
      let services = ServiceGroup(services: [client], logger: .silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        _ = try await client.send(RESPCommand("PING"))
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
      }
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .notConnected)
      #expect(error?.description.contains("the client has ended") == true)
    }
  }
}
