import LocalServers
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPServing

@Suite struct HTTPServerTests {
  @Test func aClientThatLeavesEndsWhatWasDoneForIt() async throws {
    let seen = Observed((isBegun: false, isCancelled: false))
    try await TestServer.with {
      _ in
    } respond: { _ in
      seen.update { $0.isBegun = true }
      do {
        try await Task.sleep(for: .seconds(3600))
      } catch {
        seen.update { $0.isCancelled = true }
        throw error
      }
    } _: { server in
      let client = try await server.connect()
      try await client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
      _ = try await seen.first { $0.isBegun ? true : nil }
      try await client.reset()
      _ = try await seen.first { $0.isCancelled ? true : nil }
    }
  }

  /// Each by itself would cost a hundred times its byte.
  @Test func smallChunksThatWaitAreOne() async throws {
    let parts = Observed<(count: Int, bytes: Int)>((0, 0))
    let isOpen = Observed(false)
    try await TestServer.with {
      _ in
    } respond: { exchange in
      _ = try await isOpen.first { $0 ? true : nil }
      while let bytes = try await exchange.nextBytes() {
        parts.update { $0 = ($0.count + 1, $0.bytes + bytes.readableBytes) }
      }
      try await answerOK(exchange)
    } _: { server in
      let client = try await server.connect()
      let chunks = String(repeating: "1\r\nx\r\n", count: 20_000)
      try await client.write(
        "PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + chunks)
      try await client.write("0\r\n\r\n")
      try await Task.sleep(for: .milliseconds(300))
      isOpen.update { $0 = true }
      _ = try await client.text(containing: "OK")
      #expect(parts.current.bytes == 20_000)
      #expect(parts.current.count < 2000)
    }
  }

  @Test func aRefusalReachesAClientThatStillSends() async throws {
    try await TestServer.with {
      _ in
    } respond: {
      try await answerOK($0)
    } _: { server in
      let client = try await server.connect()
      try await client.write(
        "GET / HTTP/1.1\r\nhost: x\r\na: " + String(repeating: "b", count: 1 << 22))
      try await client.write("GET / HTTP/1.1\r\n\r\n")
      try await client.closeWriting()
      let text = try await client.textToTheEnd()
      #expect(text.hasPrefix("HTTP/1.1 431 "))
      #expect(!client.received.current.isReset)
      #expect(server.refusals.current == [431])
    }
  }

  @Test(arguments: [
    "",
    "host: x\r\nhost: x\r\n", "host: x/y\r\n", "host: x y\r\n", "host: a@b\r\n",
  ])
  func aHeadThatOthersMayReadOtherwiseIsRefused(_ fields: String) async throws {
    try await TestServer.with {
      _ in
    } respond: {
      try await answerOK($0)
    } _: { server in
      let text = try await server.exchange("GET / HTTP/1.1\r\n\(fields)\r\n")
      #expect(text.hasPrefix("HTTP/1.1 400 "))
      #expect(text.hasSuffix("\r\n\r\nBad Request\n"))
      let head = try await server.exchange("HEAD / HTTP/1.1\r\n\(fields)\r\n")
      #expect(head.hasPrefix("HTTP/1.1 400 "))
      #expect(head.hasSuffix("\r\n\r\n"))
      #expect(server.refusals.current == [400, 400])
    }
  }

  @Test func aBodyThatIsFramedTwiceIsRefused() async throws {
    try await TestServer.with {
      _ in
    } respond: {
      try await answerOK($0)
    } _: { server in
      for fields in ["transfer-encoding: chunked\r\n", "content-length: 5\r\n"] {
        let text = try await server.exchange(
          "PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\(fields)\r\n0\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 400 "))
      }
    }
  }

  @Test func aConnectionLivesOnAfterABodyThatNobodyRead() async throws {
    try await TestServer.with {
      _ in
    } respond: {
      try await answerOK($0)
    } _: { server in
      let client = try await server.connect()
      try await client.write(
        "PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
          + "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
      let text = try await client.textToTheEnd()
      #expect(text.split(separator: "200 OK", omittingEmptySubsequences: false).count == 3)
    }
  }
}
