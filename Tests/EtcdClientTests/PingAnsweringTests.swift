import NIOCore
import NIOEmbedded
import Testing

@testable import EtcdClient

@Suite struct PingAnsweringTests {
  private static func frame(_ type: UInt8, flags: UInt8 = 0, _ payload: [UInt8]) -> [UInt8] {
    [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
      + [type, flags, 0, 0, 0, 0] + payload
  }

  /// However the bytes are cut: pings are answered, all else passes unchanged and in order.
  @Test func onlyPingsAreTakenOut() throws {
    let opaque: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    let ping = Self.frame(6, opaque)
    let others = [
      Self.frame(4, []), Self.frame(0, Array(repeating: 6, count: 700)),
      Self.frame(6, flags: 1, opaque), Self.frame(1, [6, 6, 6]),
    ]
    let input = others.flatMap { ping + $0 + ping }
    for size in 1...input.count {
      let channel = EmbeddedChannel()
      try channel.pipeline.syncOperations.addHandler(PingAnswering())
      for start in stride(from: 0, to: input.count, by: size) {
        try channel.writeInbound(ByteBuffer(bytes: input[start..<min(start + size, input.count)]))
      }
      var passed: [UInt8] = []
      while let buffer = try channel.readInbound(as: ByteBuffer.self) {
        passed += Array(buffer.readableBytesView)
      }
      #expect(passed == others.flatMap(\.self))
      var answers: [UInt8] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
        answers += Array(buffer.readableBytesView)
      }
      #expect(
        answers == (0..<8).flatMap { _ in Self.frame(6, flags: 1, opaque) }, "cut by \(size)")
      _ = try channel.finish()
    }
  }
}
