import HTTPUpstream
import NIOCore
import NIOHTTP1
import Testing

@Suite("Upstream: readers that stop")
struct SlowReaderTests {
  @Test("Who does not read on gives way to others that wait, and keeps what has come")
  func givesWay() async throws {
    let count = 4 << 20
    try await ScriptedServer.with { connection in
      while let head = try await connection.head() {
        let isLong = head.hasPrefix("GET /long")
        let body = isLong ? String(repeating: "x", count: count) : "ok"
        try await connection.send(
          "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      }
    } _: { server in
      try await withUpstream(
        server.port,
        {
          $0.maximumConnections = 1
          $0.pauseLimit = .milliseconds(50)
        }
      ) { upstream in
        let response = try await upstream.send(HTTPUpstreamRequest(.GET, "/long"))
        #expect(try await upstream.get() == "200 ok")
        var received = 0
        do throws(HTTPUpstreamError) {
          while let part = try await response.next() { received += part.readableBytes }
          Issue.record("the whole body came")
        } catch {
          #expect(error.kind == .gaveWay)
        }
        #expect(received > 0 && received < count)
      }
    }
  }
}
