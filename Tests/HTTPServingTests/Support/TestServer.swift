import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

@testable import HTTPServing
@testable import LocalServers

/// A server of a test, on a port of its own.
struct TestServer: Sendable {
  let port: Int
  let refusals = Observed<[UInt]>([])
  private let group: ServiceGroup

  /// - Parameter change: of the limits.
  private init(
    _ change: (inout HTTPServerLimits) -> Void, _ respond: @escaping HTTPServer.Responder
  ) throws {
    var limits = HTTPServerLimits()
    change(&limits)
    let (descriptor, port) = try Self.listen()
    self.port = port
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let server = HTTPServer(
      descriptor: descriptor, limits: limits,
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger,
      onRefusal: { [refusals] status in refusals.update { $0.append(status.code) } },
      respond: respond)
    group = ServiceGroup(services: [server], logger: logger)
  }

  /// Lets answers end that are under way.
  func stop() async { await group.triggerGracefulShutdown() }

  func connect(isReading: Bool = true) async throws -> TestClient {
    try await TestClient(port: port, isReading: isReading)
  }

  /// Sends bytes on a connection of their own, and waits for its end.
  func exchange(_ text: String) async throws -> String {
    let client = try await connect()
    try await client.write(text)
    return try await client.textToTheEnd()
  }

  private static func listen() throws -> (Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutableBytes(of: &address) { bytes in
      guard let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else {
        return false
      }
      return bind(descriptor, start, size) == 0 && Glibc.listen(descriptor, 64) == 0
        && getsockname(descriptor, start, &size) == 0
    }
    guard isBound else { throw LocalServersError(.system, "no port could be had") }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }

  /// Runs `body` with a server; at most for a minute.
  static func with(
    _ change: (inout HTTPServerLimits) -> Void = { _ in },
    respond: @escaping HTTPServer.Responder,
    _ body: @escaping @Sendable (TestServer) async throws -> Void
  ) async throws {
    let server = try TestServer(change, respond)
    try await withDeadline(.seconds(60), "a server has done its work") {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.group.run() }
        defer { group.cancelAll() }
        try await body(server)
      }
    }
  }
}

/// Answers with a short text.
@Sendable func answerOK(_ exchange: HTTPExchange) async throws {
  try await exchange.answer(HTTPAnswerHead(.ok), ByteBuffer(string: "OK"))
}
