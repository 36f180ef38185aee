import HTTPUpstream
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@Suite("Upstream: bodies of requests")
struct RequestBodyTests {
  private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

  @Test("Bytes, streams of known and of unknown length arrive as they are framed")
  func framings() async throws {
    let heads = Mutex<[String]>([])
    try await ScriptedServer.with { connection in
      for count in [6, 6, 21, 0] {
        guard let head = try await connection.head() else { return }
        let body = try await connection.bytes(count) ?? "cut"
        heads.withLock { $0.append(head.lowercased() + body) }
        try await connection.send(Self.ok)
      }
    } _: { server in
      try await withUpstream(server.port) { upstream in
        let pieces = ["abc", "", "def"]
        for body in [
          HTTPUpstreamRequest.Body.bytes(pieces.map { ByteBuffer(string: $0) }),
          .stream(length: 6), .stream(length: nil), .none,
        ] {
          let error = await upstream.failure(
            HTTPUpstreamRequest(.PUT, "/x?y=z", headers: ["A": "b"], body: body),
            from: Pieces(pieces))
          #expect(error == nil)
        }
      }
      let seen = heads.withLock { $0 }
      try #require(seen.count == 4)
      #expect(
        seen[0].hasPrefix("put /x?y=z http/1.1\r\na: b\r\nhost: 127.0.0.1:\(server.port)\r\n"))
      #expect(seen[0].hasSuffix("content-length: 6\r\n\r\nabcdef"))
      #expect(seen[1].hasSuffix("content-length: 6\r\n\r\nabcdef"))
      #expect(
        seen[2].hasSuffix(
          "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"))
      #expect(seen[3].hasSuffix("content-length: 0\r\n\r\n"))
    }
  }

  @Test("An answer that comes before the body has ended ends the body")
  func early() async throws {
    try await ScriptedServer.with { connection in
      _ = try await connection.head()
      try await connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop")
      try await connection.waitForEnd()
    } _: { server in
      try await withUpstream(server.port) { upstream in
        let source = Endless()
        let response = try await upstream.send(
          HTTPUpstreamRequest(.PUT, "/", body: .stream(length: nil)), from: source)
        #expect(response.status == 413)
        let body = String(buffer: try await response.collect(upTo: 100))
        #expect(body == "stop")
      }
    }
  }

  @Test("A body of another length than announced is no request", arguments: [5, 7])
  func wrongLength(_ length: Int) async throws {
    let isWhole = Mutex(false)
    let started = Signal()
    let ended = Signal()
    try await ScriptedServer.with { connection in
      _ = try await connection.head()
      started.send()
      let body = try? await connection.bytes(length)
      isWhole.withLock { $0 = body != nil && length == 7 }
      ended.send()
    } _: { server in
      try await withUpstream(server.port) { upstream in
        let error = await upstream.failure(
          HTTPUpstreamRequest(.PUT, "/", body: .stream(length: length)),
          from: LatePieces(["abc", "def"], started))
        #expect(error?.kind == .sourceFailed)
        #expect(error?.mayHaveRun == false)
        await ended.wait()
        #expect(!isWhole.withLock { $0 })
      }
    }
  }

  @Test("A server that does not read stops the source, and then the request")
  func stalled() async throws {
    try await ScriptedServer.with { connection in
      _ = try await connection.head()
      try await Task.sleep(for: .seconds(60))
    } _: { server in
      try await withUpstream(server.port, { $0.bodyIdleTimeout = .milliseconds(200) }) { upstream in
        let source = Endless()
        let error = await upstream.failure(
          HTTPUpstreamRequest(.PUT, "/", body: .stream(length: nil)), from: source)
        #expect(error?.kind == .timedOut)
        #expect(source.given < 64 << 20)
      }
    }
  }
}

/// Pieces of which the second waits until the server has seen the request.
private final class LatePieces: HTTPUpstreamSource {
  private let pieces: Pieces
  private let signal: Signal

  init(_ pieces: [String], _ signal: Signal) {
    self.pieces = Pieces(pieces)
    self.signal = signal
  }

  func next() async throws -> ByteBuffer? {
    if pieces.given == 1 { await signal.wait() }
    return try await pieces.next()
  }
}
