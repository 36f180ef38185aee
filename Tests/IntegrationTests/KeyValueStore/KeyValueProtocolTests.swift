import LocalServers
import NIOHTTP1
import Testing

/// Bytes that no ordinary client sends, and clients that go away.
@Suite struct KeyValueProtocolTests {
  private static let host = "host: localhost\r\n"

  /// All are refused, and nothing behind them on the connection is taken for a request.
  @Test func whatProxiesCouldReadOtherwiseIsRefused() async throws {
    try await withKeyValueServer { server, _ in
      let next = "GET /healthz HTTP/1.1\r\n\(Self.host)\r\n"
      let chunked = "transfer-encoding: chunked\r\n"
      let heads = [
        "content-length: 5\r\n\(chunked)\r\n0\r\n\r\n",
        "\(chunked)content-length: 5\r\n\r\n0\r\n\r\n",
        "content-length: 5\r\ncontent-length: 6\r\n\r\nhello", "content-length: +5\r\n\r\nhello",
        "content-length: 5, 5\r\n\r\nhello", "transfer-encoding: identity\r\n\r\n",
        "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "\(chunked)\r\n0x5\r\nhello\r\n0\r\n\r\n", "\(chunked)\r\n-5\r\nhello\r\n0\r\n\r\n",
        "\(chunked)\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n", "x: a\r\n b\r\n\r\n",
        "x : a\r\n\r\n",
        "host: other\r\n\r\n", "content-length: 99999999999999999999999\r\n\r\n",
      ]
      for head in heads {
        let text = try await PlainConnection.with(port: server.port) { connection in
          try await connection.write("POST /v HTTP/1.1\r\n\(Self.host)\(head)\(next)")
          return try await connection.textToTheEnd()
        }
        #expect(text.hasPrefix("HTTP/1.1 400 "), "\(head): \(text)")
        #expect(text.split(separator: "HTTP/1.1 ").count == 1, "\(head): \(text)")
      }
      #expect(try await server.send(.GET, "/v").status == 404)
    }
  }

  @Test func headsAreBounded() async throws {
    try await withKeyValueServer { server, _ in
      let much = String(repeating: "a", count: 1 << 20)
      for head in ["GET /v HTTP/1.1\r\nx: \(much)", "GET /\(much)"] {
        let text = try await PlainConnection.with(port: server.port) { connection in
          // It may refuse before it has all of it.
          try? await connection.write(head)
          return try await connection.textToTheEnd()
        }
        #expect(text.hasPrefix("HTTP/1.1 431 "), "\(text)")
      }
      #expect(try server.memory("VmHWM") < 64)
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    try await withKeyValueServer { server, _ in
      for number in 0..<10 { _ = try await server.send(.PUT, "/\(number)", "value-\(number)") }
      let requests = (0..<100).map { "GET /\($0 % 10) HTTP/1.1\r\n\(Self.host)\r\n" }.joined()
      let text = try await PlainConnection.with(port: server.port) { connection in
        try await connection.write(requests)
        return try await connection.text(containing: "value-", times: 100)
      }
      let values = text.matches(of: #/value-(\d)/#).compactMap { Int($0.1) }
      #expect(values == (0..<100).map { $0 % 10 })
    }
  }

  @Test func aClientThatEndsItsSideGetsItsAnswer() async throws {
    try await withKeyValueServer { server, _ in
      _ = try await server.send(.PUT, "/v", "hello")
      let text = try await PlainConnection.with(port: server.port) { connection in
        try await connection.write("GET /v HTTP/1.1\r\n\(Self.host)\r\n")
        try await connection.closeWriting()
        return try await connection.textToTheEnd()
      }
      #expect(text.hasSuffix("\r\n\r\nhello"))
    }
  }

  @Test func olderAndAbsoluteRequestsAreServed() async throws {
    try await withKeyValueServer { server, _ in
      _ = try await server.send(.PUT, "/v", "hello")
      let old = try await PlainConnection.with(port: server.port) { connection in
        try await connection.write("GET /v HTTP/1.0\r\n\r\n")
        return try await connection.textToTheEnd()
      }
      #expect(old.contains("connection: close\r\n") && old.hasSuffix("\r\n\r\nhello"))
      let absolute = try await PlainConnection.with(port: server.port) { connection in
        try await connection.write("GET http://kvs.example/v HTTP/1.1\r\n\(Self.host)\r\n")
        return try await connection.text(containing: "hello")
      }
      #expect(absolute.hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func onlyAWantedBodyIsAskedFor() async throws {
    try await withKeyValueServer("--max-value-bytes", "1KiB") { server, _ in
      _ = try await server.send(.PUT, "/old", "x")
      @Sendable func put(_ target: String, _ fields: String) -> String {
        "PUT \(target) HTTP/1.1\r\n\(Self.host)expect: 100-continue\r\n\(fields)\r\n"
      }
      let stored = try await PlainConnection.with(port: server.port) { connection in
        try await connection.write(put("/new", "content-length: 5\r\n"))
        #expect(
          try await connection.text(containing: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try await connection.write("hello")
        return try await connection.text(containing: "OK")
      }
      #expect(stored.contains("HTTP/1.1 200 "))
      let refused = [
        (put("/new", "content-length: 1025\r\n"), "413"),
        (put("/old", "content-length: 5\r\nif-none-match: *\r\n"), "412"),
        (put("/new", "content-length: 5\r\nif-match: \"x\"\r\n"), "412"),
        (put("/healthz", "content-length: 5\r\n"), "405"),
        (put("/a/../b", "content-length: 5\r\n"), "400"),
      ]
      for (head, status) in refused {
        let text = try await PlainConnection.with(port: server.port) { connection in
          try await connection.write(head)
          return try await connection.textToTheEnd()
        }
        #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(head): \(text)")
      }
    }
  }

  @Test func anUploadThatBreaksOffChangesNothing() async throws {
    try await withKeyValueServer { server, _ in
      _ = try await server.send(.PUT, "/v", "old")
      for body in [
        "content-length: 2000\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
      ] {
        for isPolite in [true, false] {
          try await PlainConnection.with(port: server.port) { connection in
            try await connection.write("PUT /v HTTP/1.1\r\n\(Self.host)\(body)")
            guard isPolite else { return }
            try await connection.closeWriting()
            #expect(try await connection.textToTheEnd().hasPrefix("HTTP/1.1 400 "))
          }
        }
      }
      try await eventually("all uploads have ended") {
        try await server.metrics().sum("kvs_requests_in_flight") == 0 ? true : nil
      }
      #expect(try await server.send(.GET, "/v").text == "old")
    }
  }
}
