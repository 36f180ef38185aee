import AsyncHTTPClient
import LocalServers
import NIOCore
import NIOHTTP1
import Testing

/// http-kvs is told to stop while it is busy.
@Suite struct KeyValueShutdownTests {
  @Test func whatIsInFlightIsFinished() async throws {
    try await withKeyValueServer("--lameduck", "1s", "--termination-grace-period", "30s") {
      server, _ in
      try await PlainConnection.with(port: server.port) { upload in
        try await PlainConnection.with(port: server.port) { idle in
          try await idle.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
          try await idle.text(containing: "OK")
          try await upload.write("PUT /v HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello")
          try await eventually("the upload is in flight") {
            try await server.metrics().sum("kvs_requests_in_flight") == 1 ? true : nil
          }
          server.process.signal(.terminate)
          // Unready first, and served on.
          try await eventually("it is not ready") {
            try await server.send(.GET, "/readyz").status == 503 ? true : nil
          }
          #expect(try await server.send(.GET, "/healthz").status == 200)
          _ = try await idle.textToTheEnd()
          try await upload.write("hello")
          let answer = try await upload.textToTheEnd()
          #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains("connection: close"))
        }
      }
      let status = try await withDeadline(.seconds(30), "it ends") {
        try await server.process.waitForExit()
      }
      #expect(status == .exited(0), "\(server.process.output.suffix(5))")
    }
  }

  @Test func whatTakesTooLongIsBrokenOffAndChangesNothing() async throws {
    try await withLocalProcesses { processes in
      let server = try await processes.startKeyValueServer([
        "--lameduck", "0s", "--termination-grace-period", "500ms",
      ])
      _ = try await server.send(.PUT, "/v", "old")
      try await PlainConnection.with(port: server.port) { upload in
        try await upload.write("PUT /v HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello")
        try await eventually("the upload is in flight") {
          try await server.metrics().sum("kvs_requests_in_flight") == 1 ? true : nil
        }
        server.process.signal(.terminate)
        _ = try await upload.textToTheEnd()
      }
      _ = try await withDeadline(.seconds(30), "it ends") {
        try await server.process.waitForExit()
      }
      let next = try await processes.startKeyValueServer(store: server.store)
      #expect(try await next.send(.GET, "/v").text == "old")
    }
  }
}
