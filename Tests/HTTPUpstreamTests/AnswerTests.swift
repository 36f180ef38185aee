import HTTPUpstream
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@Suite("Upstream: answers, whole and broken")
struct AnswerTests {
  @Test("Lengths, chunks, empty bodies and HEAD are read, on one connection")
  func framings() async throws {
    let answers = [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n!",
    ]
    try await ScriptedServer.with { connection in
      for answer in answers {
        guard try await connection.head() != nil else { return }
        try await connection.send(answer)
      }
      _ = try await connection.head()
      try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
      _ = try await connection.head()
      try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast")
      try await connection.waitForEnd()
    } _: { server in
      try await withUpstream(server.port) { upstream in
        #expect(try await upstream.get() == "200 hello")
        #expect(try await upstream.get() == "200 hello")
        #expect(try await upstream.get() == "204 ")
        #expect(try await upstream.get() == "404 ")
        #expect(try await upstream.get() == "201 !")
        let head = try await upstream.send(HTTPUpstreamRequest(.HEAD, "/"))
        #expect(head.header("content-length") == "1000")
        let end = try await head.next()
        #expect(end == nil)
        #expect(try await upstream.get() == "200 last")
        #expect(server.connectionCount == 1)
      }
    }
  }

  @Test(
    "Half an answer is an error, never an end",
    arguments: [
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
    ])
  func cut(_ answer: String) async throws {
    for resets in [false, true] {
      try await ScriptedServer.with { connection in
        _ = try await connection.head()
        try await connection.send(answer)
        if resets { try await connection.reset() }
      } _: { server in
        try await withUpstream(server.port) { upstream in
          let error = await upstream.failure(HTTPUpstreamRequest(.GET, "/"))
          #expect(error?.kind == .closed)
          #expect(error?.mayHaveRun == true)
        }
      }
    }
  }

  @Test(
    "What is no HTTP, or has no end that can be seen, or too large a head, is refused",
    arguments: [
      "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nuntil I close",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
      "HTTP/1.1 200 OK\r\n"
        + (0..<20_000).map { "X-\($0): y\r\n" }.joined() + "Content-Length: 0\r\n\r\n",
    ])
  func malformed(_ answer: String) async throws {
    try await ScriptedServer.with { connection in
      _ = try await connection.head()
      try await connection.send(answer)
      try await connection.waitForEnd()
    } _: { server in
      try await withUpstream(server.port) { upstream in
        #expect(await upstream.failure(HTTPUpstreamRequest(.GET, "/"))?.kind == .malformed)
      }
    }
  }

  @Test("A reader that stops costs a buffer, and gets all of it later")
  func backPressure() async throws {
    let size = 256 << 20
    let sent = Mutex(0)
    try await ScriptedServer.with { connection in
      _ = try await connection.head()
      try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
      let piece = ByteBuffer(repeating: 0x62, count: 1 << 20)
      while sent.withLock({ $0 }) < size {
        try await connection.send(piece)
        sent.withLock { $0 += piece.readableBytes }
      }
      try await connection.waitForEnd()
    } _: { server in
      try await withUpstream(server.port, { $0.bufferBytes = 64 << 10 }) { upstream in
        let response = try await upstream.send(HTTPUpstreamRequest(.GET, "/"))
        // Until a write has not ended for a while.
        var last = -1
        while sent.withLock({ $0 }) != last {
          last = sent.withLock { $0 }
          try await Task.sleep(for: .milliseconds(500))
        }
        // What the sockets' buffers hold: that depends on the system (`tcp_rmem`, `tcp_wmem`).
        #expect(sent.withLock { $0 } < size / 2)
        var received = 0
        var largest = 0
        while let part = try await response.next() {
          received += part.readableBytes
          largest = max(largest, part.readableBytes)
        }
        #expect(received == size)
        #expect(largest <= 1 << 20)
      }
    }
  }

  @Test("A rest that nobody reads is dropped if it is short, else its connection is")
  func unread() async throws {
    let rest = ByteBuffer(repeating: 0x78, count: 1 << 20)
    for (drainBytes, connections) in [(2 << 20, 1), (20_000, 4)] {
      try await ScriptedServer.with { connection in
        while try await connection.head() != nil {
          try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(1 << 20)\r\n\r\n")
          try await connection.send(rest)
        }
      } _: { server in
        try await withUpstream(
          server.port,
          {
            $0.drainBytes = drainBytes
            $0.bufferBytes = 1
            $0.maximumConnections = 1
          }
        ) { upstream in
          for _ in 0..<4 {
            let response = try await upstream.send(HTTPUpstreamRequest(.GET, "/"))
            response.close()
          }
          #expect(server.connectionCount == connections)
        }
      }
    }
  }
}
