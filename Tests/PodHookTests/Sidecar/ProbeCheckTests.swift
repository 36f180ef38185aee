import Glibc
import Logging
import NIOCore
import NIOHTTP1
import ServiceKit
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct ProbeCheckTests {
  private func serve(
    _ address: ListenAddress, _ body: (ListenAddress) async throws -> Void
  ) async throws {
    let quiet = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
    var routes = MonitorRoutes()
    routes.add("/startupz/1") { _ in .text("open") }
    routes.add("/held/1") { _ in .text("the lock is not held", status: .serviceUnavailable) }
    // Longer than a busy machine may take between two steps of the client.
    var limits = MonitorServer.Limits()
    limits.headTimeout = .seconds(100)
    let server = try MonitorServer(
      name: "probes", address: address, option: "probe-address", limits: limits, logger: quiet,
      respond: routes.respond)
    let group = ServiceGroup(configuration: .init(services: [server], logger: quiet))
    async let ended: Void = group.run()
    try await body(server.address)
    await group.triggerGracefulShutdown()
    try await ended
  }

  @Test(arguments: [
    ListenAddress.abstract(name: "probe-check-test-\(getpid())"), .tcp(host: "0.0.0.0", port: 0),
    .tcp(host: "127.0.0.1", port: 0),
  ])
  func saysWhatTheSidecarSays(address: ListenAddress) async throws {
    try await serve(address) { address async throws in
      func ask(_ path: String) async throws -> (status: Int, body: String) {
        try await ProbeCheck(address: address, path: path, timeout: .seconds(100)).ask()
      }
      #expect(try await ask("/startupz/1") == (200, "open"))
      #expect(try await ask("/held/1") == (503, "the lock is not held"))
      #expect(try await ask("/startupz/2").status == 404)
    }
  }

  @Test func failsIfNobodyListens() async {
    let check = ProbeCheck(
      address: .abstract(name: "nobody-listens-\(getpid())"), path: "/", timeout: .seconds(30))
    await #expect(throws: (any Error).self) { try await check.ask() }
  }

  /// A sidecar that is stopped: the kernel accepts, and nobody answers.
  @Test func failsIfNobodyAnswers() async throws {
    let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(silent) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(silent, $0, length) == 0 && listen(silent, 8) == 0
          && getsockname(silent, $0, &length) == 0
      }
    }
    try #require(isListening)
    let check = ProbeCheck(
      address: .tcp(host: "127.0.0.1", port: Int(UInt16(bigEndian: name.sin_port))), path: "/",
      timeout: .milliseconds(200))
    await #expect(throws: (any Error).self) { try await check.ask() }
  }
}
