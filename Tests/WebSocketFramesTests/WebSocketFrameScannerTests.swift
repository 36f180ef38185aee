import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import WebSocketFrames

@Suite struct WebSocketFrameScannerTests {
  private typealias Opcode = WebSocketFrames.WebSocketOpcode
  private typealias Frame = (head: WebSocketFrameHead, payload: [UInt8])

  /// Feeds bytes in pieces of random sizes; returns the frames, their payloads unmasked, and all
  /// bytes as they were given out.
  private func scan(
    _ bytes: [UInt8], sentBy sender: WebSocketSide, limit: Int = 1 << 30,
    using random: inout some RandomNumberGenerator
  ) throws(WebSocketFault) -> (frames: [Frame], raw: [UInt8]) {
    var scanner = WebSocketFrameScanner(sentBy: sender, maximumMessageBytes: limit)
    var frames: [Frame] = []
    var raw: [UInt8] = []
    var buffer = ByteBuffer()
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = min(rest.count, Int.random(in: 1...20, using: &random))
      buffer.writeBytes(rest.prefix(count))
      rest = rest.dropFirst(count)
      while let piece = try scanner.next(&buffer) {
        switch piece {
        case .head(let head, let bytes):
          raw += Array(bytes.readableBytesView)
          frames.append((head, []))
          #expect(!scanner.isBetweenFrames)
        case .payload(var bytes, let offset, let isLast):
          raw += Array(bytes.readableBytesView)
          let last = frames.count - 1
          #expect(offset == frames[last].payload.count)
          frames[last].head.maskKey?.apply(to: &bytes, at: offset)
          frames[last].payload += Array(bytes.readableBytesView)
          #expect(isLast == (frames[last].payload.count == frames[last].head.length))
          #expect(scanner.isBetweenFrames == isLast)
        }
      }
      #expect(buffer.readableBytes <= 13)
    }
    return (frames, raw)
  }

  /// What NIO writes is read as it was meant, and given out as it came.
  @Test(arguments: [WebSocketSide.client, .server])
  func framesOfAnotherImplementationAreFollowed(_ sender: WebSocketSide) throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<15 {
      let channel = EmbeddedChannel(handler: WebSocketFrameEncoder())
      var expected: [(Opcode, Bool, [UInt8])] = []
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        // A message in parts, with pings in between.
        let parts = Int.random(in: 1...3, using: &random)
        for part in 0..<parts {
          let size = [0, 1, 125, 126, 300, 70_000].randomElement(using: &random) ?? 0
          expected.append(
            (
              part == 0 ? .text : .continuation, part == parts - 1,
              (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            ))
          if Bool.random(using: &random) { expected.append((.ping, true, [1, 2])) }
        }
      }
      var bytes: [UInt8] = []
      for (opcode, isFinal, payload) in expected {
        let code: NIOWebSocket.WebSocketOpcode =
          switch opcode {
          case .text: .text
          case .ping: .ping
          default: .continuation
          }
        try channel.writeOutbound(
          WebSocketFrame(
            fin: isFinal, opcode: code, maskKey: sender == .client ? .random() : nil,
            data: ByteBuffer(bytes: payload)))
        while let part = try channel.readOutbound(as: ByteBuffer.self) {
          bytes += Array(part.readableBytesView)
        }
      }
      let (frames, raw) = try scan(bytes, sentBy: sender, using: &random)
      #expect(raw == bytes)
      #expect(frames.map(\.head.opcode) == expected.map(\.0))
      #expect(frames.map(\.head.isFinal) == expected.map(\.1))
      #expect(frames.map(\.payload) == expected.map(\.2))
      _ = try channel.finish()
    }
  }

  @Test(
    arguments: [
      // Goes on without a beginning; begins within another.
      ([0x80, 0x00], 1002), ([0x01, 0x01, 97, 0x81, 0x00], 1002),
      // Too large at once, and in parts.
      ([0x82, 0x0b], 1009), ([0x02, 0x06, 1, 2, 3, 4, 5, 6, 0x00, 0x05], 1009),
      ([0x82, 0x7f, 0x7f, 255, 255, 255, 255, 255, 255, 255], 1009),
    ] as [([UInt8], UInt16)])
  func messagesThatBreakTheRulesEndIt(_ bytes: [UInt8], _ code: UInt16) {
    var random = SystemRandomNumberGenerator()
    let fault = #expect(throws: WebSocketFault.self) {
      try scan(bytes, sentBy: .server, limit: 10, using: &random)
    }
    #expect(fault?.closeCode == code)
  }

  @Test func aMessageMayBeAsLargeAsTheLimitAndTheNextOneToo() throws {
    var random = SystemRandomNumberGenerator()
    let message: [UInt8] = [0x02, 0x06, 1, 2, 3, 4, 5, 6, 0x89, 0x00, 0x80, 0x04, 7, 8, 9, 10]
    #expect(
      try scan(message + message, sentBy: .server, limit: 10, using: &random).frames.count == 6)
  }

  @Test func randomBytesAreFramesOrAFault() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<3000 {
      let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? scan(bytes, sentBy: Bool.random() ? .client : .server, using: &random)
    }
  }
}
