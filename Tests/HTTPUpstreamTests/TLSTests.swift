import HTTPUpstream
import LocalServers
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@Suite("Upstream: TLS")
struct TLSTests {
  /// Runs `body` with a server whose certificate is of an authority in a file.
  private func withServer(
    _ script: @escaping ScriptedServer.Script,
    _ body: (ScriptedServer, TestCertificates) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: try processes.newDirectory("tls"))
      let chain = try NIOSSLCertificate.fromPEMFile(certificates.certificatePath)
      let context = try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: chain.map { .certificate($0) },
          privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.keyPath, format: .pem))))
      try await ScriptedServer.with(tls: context, script) { server in
        try await body(server, certificates)
      }
    }
  }

  @Test(
    "Requests and large bodies go both ways on one connection",
    arguments: ["127.0.0.1", "localhost"])
  func works(_ host: String) async throws {
    let size = 8 << 20
    try await withServer { connection in
      while try await connection.head() != nil {
        guard try await connection.bytes(size) != nil else { return }
        try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
        try await connection.send(ByteBuffer(repeating: 0x79, count: size))
      }
    } _: { server, certificates in
      try await withUpstream(
        server.port, tls: true, host: host, { $0.authorityFile = certificates.authorityPath }
      ) { upstream in
        for _ in 0..<3 {
          let response = try await upstream.send(
            HTTPUpstreamRequest(
              .PUT, "/", body: .bytes([ByteBuffer(repeating: 0x78, count: size)])))
          var count = 0
          while let part = try await response.next() { count += part.readableBytes }
          #expect(count == size)
        }
        #expect(server.connectionCount == 1)
      }
    }
  }

  @Test("A certificate of nobody known is refused, before anything is said")
  func untrusted() async throws {
    try await withServer { connection in
      if try await connection.head() != nil { Issue.record("a request was sent") }
    } _: { server, _ in
      try await withUpstream(server.port, tls: true) { upstream in
        let error = await upstream.failure(HTTPUpstreamRequest(.GET, "/"))
        #expect(error?.kind == .notConnected)
        #expect(error?.mayHaveRun == false)
      }
    }
  }

  @Test("A connection that ends without a word cuts a body, however it is framed")
  func truncated() async throws {
    for framing in [
      "Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
      try await withServer { connection in
        _ = try await connection.head()
        try await connection.send("HTTP/1.1 200 OK\r\n" + framing)
      } _: { server, certificates in
        try await withUpstream(
          server.port, tls: true, { $0.authorityFile = certificates.authorityPath }
        ) { upstream in
          #expect(await upstream.failure(HTTPUpstreamRequest(.GET, "/"))?.kind == .closed)
        }
      }
    }
  }

  @Test("A peer that speaks no TLS, and files that are none, are said")
  func wrong() async throws {
    try await ScriptedServer.with { connection in
      try await connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
    } _: { server in
      try await withUpstream(server.port, tls: true) { upstream in
        #expect(await upstream.failure(HTTPUpstreamRequest(.GET, "/"))?.kind == .notConnected)
      }
      await #expect(throws: HTTPUpstreamError.self) {
        try await withUpstream(server.port, tls: true, { $0.authorityFile = "/nowhere.pem" }) { _ in
        }
      }
    }
  }
}
