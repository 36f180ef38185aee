import LocalServers
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPServing

/// What stands between the bytes of a body.
@Suite struct BodyFramingTests {
  private static let head = "PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"

  /// Answers with the number of bytes of the body.
  @Sendable private static func count(_ exchange: HTTPExchange) async throws {
    var count = 0
    while let bytes = try await exchange.nextBytes() { count += bytes.readableBytes }
    try await exchange.answer(HTTPAnswerHead(.ok), ByteBuffer(string: "\(count) bytes"))
  }

  @Test func extensionsOfChunksAndTrailersAreNoBytes() async throws {
    try await TestServer.with {
      _ in
    } respond: {
      try await Self.count($0)
    } _: { server in
      let client = try await server.connect()
      try await client.write(Self.head + "3;a=b;c=\"d\"\r\nxyz\r\n0;e\r\nx-sum: 1\r\n\r\n")
      #expect(try await client.text(containing: "bytes").hasSuffix("\r\n3 bytes"))
    }
  }

  @Test func endlessTrailersAreRefused() async throws {
    try await TestServer.with {
      _ in
    } respond: {
      try await Self.count($0)
    } _: { server in
      let client = try await server.connect()
      try await client.write(Self.head + "3\r\nxyz\r\n0\r\n")
      for _ in 0..<64 where !client.received.current.isEnded {
        // The server may close in the middle of it.
        try? await client.write("x: " + String(repeating: "y", count: 8 << 10) + "\r\n")
      }
      let text = try await client.textToTheEnd()
      #expect(!text.contains("200 OK"))
    }
  }

  /// Bytes that are no body do not keep a connection alive.
  @Test func anEndlessExtensionOfAChunkEndsInTime() async throws {
    try await TestServer.with {
      $0.idleTimeout = .milliseconds(300)
    } respond: {
      try await Self.count($0)
    } _: { server in
      let client = try await server.connect()
      try await client.write(Self.head + "3;")
      while !client.received.current.isEnded {
        // The server closes in the middle of it.
        try? await client.write(String(repeating: "e", count: 1 << 10))
      }
      #expect(!client.text.contains("200 OK"))
    }
  }

  /// `nc -N` and others close their half when they have sent the request.
  @Test func whoHasSentAllAndClosesThatHalfGetsTheAnswer() async throws {
    let mayAnswer = Observed(false)
    let hasBegun = Observed(false)
    try await TestServer.with {
      _ in
    } respond: { exchange in
      hasBegun.update { $0 = true }
      _ = try await mayAnswer.first { $0 ? true : nil }
      try await answerOK(exchange)
    } _: { server in
      let client = try await server.connect()
      try await client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
      _ = try await hasBegun.first { $0 ? true : nil }
      try await client.closeWriting()
      mayAnswer.update { $0 = true }
      #expect(try await client.textToTheEnd().hasSuffix("\r\n\r\nOK"))
    }
  }
}
