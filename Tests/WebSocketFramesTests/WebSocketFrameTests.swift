import NIOCore
import NIOWebSocket
import Testing

@testable import WebSocketFrames

@Suite struct WebSocketFrameTests {
  private static let key = WebSocketMaskKey(0x37fa_213d)

  /// The examples of RFC 6455, section 5.7.
  @Test(
    arguments: [
      ([0x81, 0x05], WebSocketFrameHead(opcode: .text, length: 5)),
      (
        [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d],
        WebSocketFrameHead(opcode: .text, maskKey: key, length: 5)
      ),
      ([0x01, 0x03], WebSocketFrameHead(isFinal: false, opcode: .text, length: 3)),
      ([0x80, 0x02], WebSocketFrameHead(opcode: .continuation, length: 2)),
      ([0x89, 0x05], WebSocketFrameHead(opcode: .ping, length: 5)),
      ([0x82, 0x7e, 0x01, 0x00], WebSocketFrameHead(opcode: .binary, length: 256)),
      ([0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], WebSocketFrameHead(opcode: .binary, length: 65536)),
    ] as [([UInt8], WebSocketFrameHead)])
  func headsAreReadHoweverTheyAreCut(_ bytes: [UInt8], _ head: WebSocketFrameHead) throws {
    let sender: WebSocketSide = head.maskKey == nil ? .server : .client
    for count in 0..<bytes.count {
      var buffer = ByteBuffer(bytes: bytes[..<count])
      #expect(try WebSocketFrameHead.read(from: &buffer, sentBy: sender) == nil)
      #expect(buffer.readableBytes == count)
    }
    var buffer = ByteBuffer(bytes: bytes + [9])
    #expect(try WebSocketFrameHead.read(from: &buffer, sentBy: sender) == head)
    #expect(Array(buffer.readableBytesView) == [9])
    var written = ByteBuffer()
    head.write(to: &written)
    #expect(Array(written.readableBytesView) == bytes)
  }

  @Test(
    arguments: [
      ([0xc1, 0x00], .server), ([0x91, 0x00], .server), ([0x83, 0x00], .server),
      ([0x8b, 0x00], .server), ([0x81, 0x80, 0, 0, 0, 0], .server), ([0x81, 0x00], .client),
      ([0x09, 0x00], .server), ([0x89, 0x7e, 0, 126], .server), ([0x81, 0x7e, 0, 125], .server),
      ([0x81, 0x7f, 0, 0, 0, 0, 0, 0, 255, 255], .server),
      ([0x81, 0x7f, 128, 0, 0, 0, 0, 0, 0, 0], .server),
    ] as [([UInt8], WebSocketSide)])
  func headsThatBreakTheRulesAreRefused(_ bytes: [UInt8], _ sender: WebSocketSide) {
    var buffer = ByteBuffer(bytes: bytes)
    let fault = #expect(throws: WebSocketFault.self) {
      try WebSocketFrameHead.read(from: &buffer, sentBy: sender)
    }
    #expect(fault?.closeCode == 1002)
  }

  @Test func aMaskIsTheSameHoweverThePayloadIsCut() {
    for count in [0, 1, 3, 4, 7, 8, 9, 31, 100] {
      let plain = (0..<count).map { UInt8($0) }
      let keyBytes: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
      let expected = plain.enumerated().map { $1 ^ keyBytes[$0 % 4] }
      for cut in 0...count {
        var start = ByteBuffer(bytes: plain[..<cut])
        var end = ByteBuffer(bytes: plain[cut...])
        Self.key.apply(to: &start, at: 0)
        Self.key.apply(to: &end, at: cut)
        #expect(Array(start.readableBytesView) + Array(end.readableBytesView) == expected)
      }
    }
  }

  @Test func keysAreAnsweredAsTheStandardShows() {
    #expect(WebSocketKey.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(WebSocketKey.isValid("dGhlIHNhbXBsZSBub25jZQ=="))
    for key in ["", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=!", "dGhlIHNhbXBsZQ=="] {
      #expect(!WebSocketKey.isValid(key))
    }
    let key = WebSocketKey.random()
    #expect(WebSocketKey.isValid(key) && key != WebSocketKey.random())
  }
}
