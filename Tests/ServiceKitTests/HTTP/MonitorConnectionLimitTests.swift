import ServiceKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct MonitorConnectionLimitTests {
  private let asked = Collected<String>()
  private let gate = AsyncStream.makeStream(of: Void.self)

  /// A server that answers at once, but what is `/slow` only when the gate opens.
  private func server(connections: Int) throws -> MonitorServer {
    var limits = MonitorServer.Limits()
    limits.connections = connections
    return try MonitorServer(
      name: "test", address: .tcp(host: "127.0.0.1", port: 0), limits: limits, logger: .silent
    ) { [asked, gate] request in
      asked.append(request.path)
      if request.path == "/slow" { for await _ in gate.stream { break } }
      return .text("answered \(request.path)")
    }
  }

  private static func ask(_ path: String, _ connection: RawConnection) async throws -> String {
    try await connection.send("GET \(path) HTTP/1.1\r\n\r\n")
    return try await connection.receive(until: "answered \(path)\n")
  }

  /// Opens connections one inside the other, has each answered once and leaves it idle.
  private static func withIdle(
    _ count: Int, _ address: ListenAddress, _ body: @Sendable () async throws -> Void
  ) async throws {
    guard count > 0 else { return try await body() }
    try await RawConnection.with(address) { connection in
      _ = try await ask("/idle", connection)
      try await withIdle(count - 1, address, body)
    }
  }

  @Test func aNewConnectionTakesThePlaceOfAnIdleOneButNotOfABusyOne() async throws {
    let server = try server(connections: 8)
    let address = server.address
    try await withServices(server) {
      try await withThrowingTaskGroup(of: String.self) { busy in
        busy.addTask { try await RawConnection.with(address) { try await Self.ask("/slow", $0) } }
        _ = await asked.first(1)
        try await Self.withIdle(7, address) {
          for _ in 0..<20 {
            try await RawConnection.with(address) { connection in
              let answer = try await Self.ask("/probe", connection)
              #expect(answer.hasSuffix("answered /probe\n"))
            }
          }
        }
        gate.continuation.finish()
        let answer = try await busy.next()
        #expect(answer?.hasSuffix("answered /slow\n") == true)
      }
    }
  }

  @Test func connectionsThatNeverSendAHeadMakeRoom() async throws {
    let server = try server(connections: 2)
    let address = server.address
    try await withServices(server) {
      try await withThrowingTaskGroup(of: String.self) { silent in
        for _ in 0..<5 {
          silent.addTask {
            try await RawConnection.with(address) { try await $0.receive() }
          }
        }
        // Of five, three had to go; that they did shows that the others hold all places.
        for _ in 0..<3 {
          let received = try await silent.next()
          #expect(received == "")
        }
        try await RawConnection.with(address) { connection in
          let answer = try await Self.ask("/probe", connection)
          #expect(answer.hasSuffix("answered /probe\n"))
        }
        let received = try await silent.next()
        #expect(received == "")
        silent.cancelAll()
      }
    }
  }

  @Test func closesTheNewestWhenNoneIsIdle() async throws {
    let server = try server(connections: 1)
    let address = server.address
    try await withServices(server) {
      try await withThrowingTaskGroup(of: String.self) { busy in
        busy.addTask { try await RawConnection.with(address) { try await Self.ask("/slow", $0) } }
        _ = await asked.first(1)
        let refused = try await RawConnection.with(address) { try await $0.receive() }
        #expect(refused == "")
        gate.continuation.finish()
        let answer = try await busy.next()
        #expect(answer?.hasSuffix("answered /slow\n") == true)
      }
    }
  }
}
