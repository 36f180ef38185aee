import Glibc
import NIOCore
import NIOHTTP1
import ServiceKit
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct MonitorServerTests {
  private static let anyPort = ListenAddress.tcp(host: "127.0.0.1", port: 0)

  private func server(
    _ address: ListenAddress = anyPort, limits: MonitorServer.Limits = .init(),
    respond: @escaping MonitorServer.Responder = { request in
      .text("\(request.method) \(request.path)")
    }
  ) throws -> MonitorServer {
    try MonitorServer(
      name: "test", address: address, option: "test-address", limits: limits, logger: .silent,
      respond: respond)
  }

  private func exchange(_ server: MonitorServer, _ request: String) async throws -> String {
    try await RawConnection.with(server.address) { connection in
      try await connection.send(request)
      return try await connection.receive()
    }
  }

  @Test func answersAndClosesWhenAsked() async throws {
    let server = try server()
    #expect(server.address.port != 0)
    let answer = try await withServices(server) {
      try await exchange(server, "GET /a?b=c HTTP/1.1\r\nConnection: close\r\n\r\n")
    }
    #expect(
      answer == "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
        + "Content-Length: 7\r\nConnection: close\r\n\r\nGET /a\n")
  }

  @Test func keepsConnectionsAliveAndAnswersPipelinedRequestsInOrder() async throws {
    let server = try server()
    try await withServices(server) {
      try await RawConnection.with(server.address) { connection in
        try await connection.send("GET /1 HTTP/1.1\r\n\r\n")
        #expect(try await connection.receive(until: "GET /1\n").contains("200 OK"))
        try await connection.send("GET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n")
        let both = try await connection.receive(until: "GET /3\n")
        #expect(both.contains("GET /2\nHTTP/1.1 200 OK"))
      }
    }
  }

  @Test func answersHEADWithoutABody() async throws {
    let server = try server()
    let answer = try await withServices(server) {
      try await exchange(server, "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
    }
    #expect(answer.contains("Content-Length: 7\r\n") && answer.hasSuffix("\r\n\r\n"))
  }

  @Test func routesByPathThenPrefixElseNotFound() async throws {
    var routes = MonitorRoutes()
    routes.add("/lock") { _ in .json(Array("{}".utf8)) }
    routes.add(prefix: "/held/") { request in
      request.path == "/held/1" ? .text("held") : nil
    }
    func status(_ path: String, _ method: HTTPMethod = .GET) async -> UInt {
      await routes.respond(to: MonitorRequest(method: method, uri: path)).status.code
    }
    #expect(await status("/lock") == 200)
    #expect(await status("/lock?x") == 200)
    #expect(await status("/held/1") == 200)
    #expect(await status("/held/2") == 404)
    #expect(await status("/lock/") == 404)
    #expect(await status("/lock", .HEAD) == 200)
    let refused = await routes.respond(to: MonitorRequest(method: .POST, uri: "/lock"))
    #expect(refused.status == .methodNotAllowed && refused.headers["Allow"] == ["GET, HEAD"])
  }

  @Test func servesProbesAndMetrics() async throws {
    let readiness = Readiness()
    var routes = MonitorRoutes()
    routes.addHealth()
    routes.addReadiness(readiness)
    routes.addMetrics(PrometheusRegistry())
    #expect(await routes.respond(to: MonitorRequest(uri: "/healthz")).status == .ok)
    #expect(await routes.respond(to: MonitorRequest(uri: "/readyz")).status == .ok)
    readiness.stop()
    let unready = await routes.respond(to: MonitorRequest(uri: "/readyz"))
    #expect(unready.status == .serviceUnavailable)
    #expect(String(decoding: unready.body, as: UTF8.self) == "shutting down\n")
    let metrics = await routes.respond(to: MonitorRequest(uri: "/metrics"))
    #expect(metrics.headers["Content-Type"] == ["text/plain; version=0.0.4; charset=utf-8"])
    #expect(String(decoding: metrics.body, as: UTF8.self).contains("process_open_fds "))
  }

  @Test func aPortInUseSaysWhatToDo() throws {
    let first = try server()
    let error = #expect(throws: FatalError.self) { try server(first.address) }
    #expect(error?.code == .addressInUse)
    #expect(
      error?.message
        == "\(first.address) is in use: stop the process that listens there, "
        + "or choose another address with --test-address")
  }

  @Test func addressesThatAreNotOursSaySo() {
    let foreign = #expect(throws: FatalError.self) {
      try server(.tcp(host: "192.0.2.1", port: 0))
    }
    #expect(foreign?.message.contains("this machine has no such address") == true)
    let unknown = #expect(throws: FatalError.self) {
      try server(.tcp(host: "no-such-host.invalid", port: 0))
    }
    #expect(unknown?.code == .addressUnavailable)
  }

  @Test func listensOnAllInterfacesWithoutAHost() async throws {
    let server = try server(.tcp(host: "", port: 0))
    let answer = try await withServices(server) {
      try await exchange(server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    }
    #expect(answer.hasSuffix("GET /\n"))
  }

  @Test func listensOnAbstractUnixSockets() async throws {
    let server = try server(.abstract(name: "servicekit-\(UInt64.random(in: 0...(.max)))"))
    #expect(throws: FatalError.self) { try self.server(server.address) }
    let answer = try await withServices(server) {
      try await exchange(server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    }
    #expect(answer.hasSuffix("GET /\n"))
  }

  @Test func listensOnSocketFilesAlsoWhereAnOldOneIsLeft() async throws {
    try await withTemporaryDirectory { directory in
      let address = ListenAddress.unix(path: directory + "/socket")
      do { _ = try server(address) }
      #expect(access(directory + "/socket", F_OK) == 0)
      let server = try server(address)
      #expect(throws: FatalError.self) { try self.server(address) }
      let answer = try await withServices(server) {
        try await exchange(server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
      }
      #expect(answer.hasSuffix("GET /\n"))
      #expect(access(directory + "/socket", F_OK) != 0)
    }
  }

  @Test func endsConnectionsThatSendTheirHeadTooSlowly() async throws {
    var limits = MonitorServer.Limits()
    limits.headTimeout = .milliseconds(200)
    let server = try server(limits: limits)
    let answer = try await withServices(server) {
      try await exchange(server, "GET / HTTP/1.1\r\nHost: a")
    }
    #expect(answer == "")
  }

  @Test func endsIdleConnectionsAndThoseThatHoldTheirBodyBack() async throws {
    var limits = MonitorServer.Limits()
    limits.idleTimeout = .milliseconds(200)
    limits.bodyTimeout = .milliseconds(200)
    let server = try server(limits: limits)
    try await withServices(server) {
      let idle = try await exchange(server, "GET / HTTP/1.1\r\n\r\n")
      #expect(idle.hasSuffix("GET /\n"))
      let held = try await exchange(server, "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
      #expect(held == "")
    }
  }

  @Test func refusesWhatIsTooBig() async throws {
    let server = try server()
    try await withServices(server) {
      let body = try await exchange(
        server,
        "POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + String(repeating: "x", count: 5000))
      #expect(body.hasPrefix("HTTP/1.1 413 ") && body.contains("Connection: close"))
      let header = try await exchange(
        server, "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n")
      #expect(header.hasPrefix("HTTP/1.1 400 ") || header == "")
      let line = try await exchange(
        server, "GET /" + String(repeating: "x", count: 200_000) + " HTTP/1.1\r\n\r\n")
      #expect(!line.contains("200 OK"))
      let small = try await exchange(
        server, "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab")
      #expect(small.hasSuffix("POST /\n"))
    }
  }

  @Test func answersNonsenseWithBadRequest() async throws {
    let server = try server()
    let answer = try await withServices(server) { try await exchange(server, "nonsense\r\n\r\n") }
    #expect(answer.hasPrefix("HTTP/1.1 400 "))
  }

  @Test func endsConnectionsWhoseAnswerTakesTooLong() async throws {
    var limits = MonitorServer.Limits()
    limits.responseTimeout = .milliseconds(200)
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let server = try server(limits: limits) { _ in
      for await _ in gate { break }
      return .text("late")
    }
    let answer = try await withServices(server) {
      let answer = try await exchange(server, "GET / HTTP/1.1\r\n\r\n")
      open.finish()
      return answer
    }
    #expect(answer == "")
  }

  /// NIO traps when an accepted connection gets lost on its way to the accepting task
  /// (https://github.com/apple/swift-nio/issues/2813).
  @Test(arguments: [true, false])
  func connectionsThatArriveDuringTheEndDoNoHarm(isGraceful: Bool) async throws {
    for _ in 0..<60 {
      let server = try server()
      let group = ServiceGroup(services: [server], logger: .silent)
      await withTaskGroup(of: Void.self) { tasks in
        // A task of its own, so that it can be cancelled alone; its end is awaited below.
        let running = Task { try await group.run() }
        for _ in 0..<8 {
          tasks.addTask { _ = try? await exchange(server, "GET / HTTP/1.1\r\n\r\n") }
        }
        tasks.addTask {
          if isGraceful { await group.triggerGracefulShutdown() } else { running.cancel() }
        }
        _ = await running.result
      }
    }
  }

  @Test func gracefulShutdownFinishesWhatWasAskedAndClosesIdleConnections() async throws {
    let asked = Collected<String>()
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let server = try server { request in
      asked.append(request.path)
      if request.path == "/slow" { for await _ in gate { break } }
      return .text("done")
    }
    let address = server.address
    let answers = try await withThrowingTaskGroup(of: String.self) { clients in
      try await withServices(server) {
        for path in ["/slow", "/fast"] {
          clients.addTask {
            try await RawConnection.with(address) { connection in
              try await connection.send("GET \(path) HTTP/1.1\r\n\r\n")
              return try await connection.receive()
            }
          }
        }
        _ = await asked.first(2)
        clients.addTask {
          open.finish()
          return ""
        }
      }
      return try await clients.reduce(into: [String]()) { $0.append($1) }
    }
    #expect(answers.filter { $0.hasSuffix("done\n") }.count == 2)
  }
}
