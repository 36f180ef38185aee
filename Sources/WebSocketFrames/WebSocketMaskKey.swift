package import NIOCore

/// With which a client makes its payloads unlike anything that a proxy on the way could take for a
/// request (RFC 6455, section 5.3). It hides nothing.
package struct WebSocketMaskKey: Hashable, Sendable {
  /// The four bytes in the order in which they are sent, the first one highest.
  package let value: UInt32

  package init(_ value: UInt32) { self.value = value }

  /// XORs readable bytes with it; twice gives what they were.
  ///
  /// - Parameter offset: where in the payload they begin.
  package func apply(to buffer: inout ByteBuffer, at offset: Int) {
    // As it lies in memory from that byte on, and repeated for eight bytes at a time.
    let turned = value.bigEndian.rotated(byBytes: offset % 4)
    let wide = UInt64(turned) << 32 | UInt64(turned)
    buffer.withUnsafeMutableReadableBytes { bytes in
      var index = 0
      while index + 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        bytes.storeBytes(of: word ^ wide, toByteOffset: index, as: UInt64.self)
        index += 8
      }
      while index < bytes.count {
        bytes[index] ^= UInt8(truncatingIfNeeded: turned.littleEndian >> UInt32(8 * (index % 4)))
        index += 1
      }
    }
  }
}

extension UInt32 {
  /// The same bytes, the first so many of them, as they lie in memory, moved to the end.
  fileprivate func rotated(byBytes count: Int) -> UInt32 {
    guard count > 0 else { return self }
    let bits = UInt32(8 * count)
    let value = littleEndian
    return UInt32(littleEndian: value >> bits | value << (32 - bits))
  }
}
