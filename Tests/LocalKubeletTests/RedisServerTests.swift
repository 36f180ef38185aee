import LocalServers
import Testing

@Suite struct RedisServerTests {
  @Test func serversAreIndependentAndAnswer() async throws {
    try await withRedisServers(count: 3) { servers in
      #expect(Set(servers.map(\.port)).count == 3)
      for server in servers {
        #expect(InlineConnection.ask(server.port, "PING") == "+PONG")
        #expect(InlineConnection.ask(server.port, "SET name \(server.name)") == "+OK")
      }
      for server in servers {
        #expect(InlineConnection.ask(server.port, "STRLEN name") == ":\(server.name.utf8.count)")
      }
    }
  }

  @Test func aPausedServerIsSilentUntilItResumes() async throws {
    try await withRedisServers(count: 1) { servers in
      let server = try #require(servers.first)
      try await server.pause()
      #expect(InlineConnection.ask(server.port, "PING", milliseconds: 100) == nil)
      server.resume()
      #expect(InlineConnection.ask(server.port, "PING") == "+PONG")
    }
  }

  @Test func aKilledServerComesBackWithItsData() async throws {
    try await withRedisServers(count: 1, settings: .init(appendOnly: true)) { servers in
      let server = try #require(servers.first)
      #expect(InlineConnection.ask(server.port, "SET a b") == "+OK")
      try await server.kill()
      #expect(InlineConnection.ask(server.port, "PING") == nil)
      try await server.restart()
      #expect(InlineConnection.ask(server.port, "EXISTS a") == ":1")
      try await server.restart(empty: true)
      #expect(InlineConnection.ask(server.port, "EXISTS a") == ":0")
    }
  }

  @Test func aServerThatDoesNotExistSaysHowToGetOne() async throws {
    let error = await #expect(throws: LocalServersError.self) {
      try await withRedisServers(count: 1, settings: .init(executable: "no-redis-here")) { _ in }
    }
    #expect(error?.kind == .missingExecutable)
    #expect(error?.message.contains("apt-get install redis-server") == true)
  }

  @Test func aServerWithTLSStarts() async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("tls"))
      let server = try await RedisServer.start(
        .init(certificates: certificates), in: processes)
      // It does not talk to those who speak no TLS.
      #expect(InlineConnection.ask(server.port, "PING") != "+PONG")
    }
  }

  @Test func everyCertificateHasItsOwnSerialNumber() async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("tls"))
      let serialNumbers = try (0..<3).map { _ in try certificates.reissue() }
      #expect(Set(serialNumbers).count == 3)
    }
  }
}
