package import NIOCore

/// What stands before the payload of a frame (RFC 6455, section 5.2).
package struct WebSocketFrameHead: Hashable, Sendable {
  /// The last of its message.
  package var isFinal: Bool
  package var opcode: WebSocketOpcode
  /// Which the bytes of the payload are XORed with; the frames of clients have one.
  package var maskKey: WebSocketMaskKey?
  /// Bytes of the payload.
  package var length: Int

  package init(
    isFinal: Bool = true, opcode: WebSocketOpcode, maskKey: WebSocketMaskKey? = nil, length: Int
  ) {
    self.isFinal = isFinal
    self.opcode = opcode
    self.maskKey = maskKey
    self.length = length
  }

  /// Takes a head away from the front; nil, with nothing taken, while it is not all there.
  ///
  /// - Parameter sender: clients have to mask, and servers may not.
  package static func read(
    from buffer: inout ByteBuffer, sentBy sender: WebSocketSide
  ) throws(WebSocketFault) -> WebSocketFrameHead? {
    var copy = buffer
    guard let first: UInt8 = copy.readInteger(), let second: UInt8 = copy.readInteger() else {
      return nil
    }
    // They mean something only with extensions.
    guard first & 0x70 == 0 else { throw .protocolError("a frame has reserved bits set") }
    guard let opcode = WebSocketOpcode(rawValue: first & 0x0f) else {
      throw .protocolError("a frame has the unknown opcode \(first & 0x0f)")
    }
    let isMasked = second & 0x80 != 0
    guard isMasked == (sender == .client) else {
      throw .protocolError(isMasked ? "a server has masked a frame" : "a frame is not masked")
    }
    let isFinal = first & 0x80 != 0
    if opcode.isControl, !isFinal || second & 0x7f > 125 {
      throw .protocolError("a control frame is too long, or in parts")
    }
    guard let length = try readLength(second & 0x7f, &copy) else { return nil }
    var maskKey: WebSocketMaskKey?
    if isMasked {
      guard let key: UInt32 = copy.readInteger() else { return nil }
      maskKey = WebSocketMaskKey(key)
    }
    buffer = copy
    return WebSocketFrameHead(isFinal: isFinal, opcode: opcode, maskKey: maskKey, length: length)
  }

  private static func readLength(
    _ short: UInt8, _ buffer: inout ByteBuffer
  ) throws(WebSocketFault) -> Int? {
    switch short {
    case 126:
      guard let length: UInt16 = buffer.readInteger() else { return nil }
      guard length > 125 else { throw .protocolError("a length is written longer than needed") }
      return Int(length)
    case 127:
      guard let length: UInt64 = buffer.readInteger() else { return nil }
      guard length > UInt16.max else {
        throw .protocolError("a length is written longer than needed")
      }
      guard let length = Int(exactly: length) else {
        throw .protocolError("a length has its highest bit set")
      }
      return length
    default: return Int(short)
    }
  }

  /// Appends the head; the payload follows it.
  package func write(to buffer: inout ByteBuffer) {
    buffer.writeInteger((isFinal ? 0x80 : 0) | opcode.rawValue)
    let masked: UInt8 = maskKey == nil ? 0 : 0x80
    switch length {
    case 0...125: buffer.writeInteger(masked | UInt8(length))
    case 126...Int(UInt16.max):
      buffer.writeInteger(masked | 126)
      buffer.writeInteger(UInt16(length))
    default:
      buffer.writeInteger(masked | 127)
      buffer.writeInteger(UInt64(length))
    }
    if let maskKey { buffer.writeInteger(maskKey.value) }
  }
}

/// What a frame is (RFC 6455, section 11.8).
package enum WebSocketOpcode: UInt8, Sendable, Hashable, CaseIterable {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10

  package var isControl: Bool { rawValue >= 8 }
}

/// An end of a connection.
package enum WebSocketSide: Sendable, Hashable {
  case client
  case server
}
