import LocalServers
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPServing

@Suite struct SlowClientTests {
  private static let size = 24 << 20
  private static let request = "GET / HTTP/1.1\r\nhost: x\r\n\r\n"

  /// All of it is given to the connection at once, so that most waits there.
  @Sendable private static func answerAtLength(_ exchange: HTTPExchange) async throws {
    try await exchange.answer(
      HTTPAnswerHead(.ok), ByteBuffer(repeating: UInt8(ascii: "x"), count: size))
  }

  @Test func anAnswerIsSentForLongerThanTheIdleTimeout() async throws {
    try await TestServer.with {
      $0.bufferedBytes = 64 << 20
      $0.idleTimeout = .seconds(1)
    } respond: {
      try await Self.answerAtLength($0)
    } _: { server in
      let client = try await server.connect(isReading: false)
      try await client.write(Self.request)
      let start = ContinuousClock.now
      while ContinuousClock.now - start < .seconds(4) {
        client.read()
        try await Task.sleep(for: .milliseconds(20))
      }
      try await client.readOn()
      let received = try await client.received.first { $0.isEnded ? $0.count : nil }
      #expect(received > Self.size)
    }
  }

  @Test func aConnectionWithAnUnsentAnswerMakesNoRoom() async throws {
    try await TestServer.with {
      $0.bufferedBytes = 64 << 20
      $0.connections = 1
    } respond: {
      try await Self.answerAtLength($0)
    } _: { server in
      let client = try await server.connect(isReading: false)
      try await client.write(Self.request)
      client.read()
      _ = try await client.text(containing: "200 OK")
      let other = try await server.connect().textToTheEnd()
      #expect(other == "")
      try await client.readOn()
      _ = try await client.received.first { $0.count > Self.size ? true : nil }
    }
  }

  @Test func aStopWaitsForWhatIsUnsentAndBeginsNothing() async throws {
    try await TestServer.with {
      $0.bufferedBytes = 64 << 20
    } respond: {
      try await Self.answerAtLength($0)
    } _: { server in
      let client = try await server.connect(isReading: false)
      try await client.write(Self.request)
      client.read()
      _ = try await client.text(containing: "200 OK")
      await server.stop()
      try await client.write(Self.request)
      try await client.readOn()
      let count = try await client.received.first { $0.isEnded ? $0.count : nil }
      // The second request may have been faster than the stop: then it has its whole answer.
      #expect(count > Self.size)
      #expect(count % Self.size < 4096)
    }
  }

  @Test func clientsThatKeepAServerWaitingMakeRoom() async throws {
    try await TestServer.with {
      $0.connections = 2
      $0.evictionTime = .milliseconds(200)
    } respond: { exchange in
      while try await exchange.nextBytes() != nil {}
      try await answerOK(exchange)
    } _: { server in
      let stalled = [try await server.connect(), try await server.connect()]
      for client in stalled {
        try await client.write("PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\na")
      }
      var text = ""
      while !text.hasSuffix("OK") {
        try await Task.sleep(for: .milliseconds(50))
        text =
          (try? await server.exchange("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
          ?? ""
      }
    }
  }

  @Test func aHeadThatDripsEndsInTime() async throws {
    try await TestServer.with {
      $0.headTimeout = .milliseconds(500)
    } respond: {
      try await answerOK($0)
    } _: { server in
      let client = try await server.connect()
      try await client.write("GET / HTTP/1.1\r\nhost: x\r\na: ")
      while client.text.isEmpty, !client.received.current.isEnded {
        try? await client.write("b")
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(client.text.hasPrefix("HTTP/1.1 408 "))
      #expect(server.refusals.current == [408])
    }
  }

  @Test func aConnectionThatSaysNothingIsClosed() async throws {
    try await TestServer.with {
      $0.headTimeout = .milliseconds(300)
    } respond: {
      try await answerOK($0)
    } _: { server in
      let text = try await server.connect().textToTheEnd()
      #expect(text == "")
    }
  }
}
