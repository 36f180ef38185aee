package import NIOCore

extension ByteBuffer {
  /// Writes `$5\r\nhello\r\n`.
  package mutating func writeRESPBulk(_ text: String) {
    writeRESPHeader(UInt8(ascii: "$"), Int64(text.utf8.count))
    writeString(text)
    writeLineEnd()
  }

  /// Writes a bulk string of any bytes.
  package mutating func writeRESPBulk(_ bytes: ByteBuffer) {
    writeRESPHeader(UInt8(ascii: "$"), Int64(bytes.readableBytes))
    writeImmutableBuffer(bytes)
    writeLineEnd()
  }

  /// Writes a bulk string of decimal digits.
  package mutating func writeRESPBulk(_ number: Int64) {
    writeRESPHeader(UInt8(ascii: "$"), Int64(number.decimalDigits))
    writeDecimal(number)
    writeLineEnd()
  }

  /// Writes a type byte, a number and CR LF: an integer, or the start of whatever has a length.
  package mutating func writeRESPHeader(_ type: UInt8, _ number: Int64) {
    writeInteger(type)
    writeDecimal(number)
    writeLineEnd()
  }

  /// Writes a line of text. Line breaks in it become spaces: they would end the value early.
  mutating func writeRESPLine(_ type: UInt8, _ text: String) {
    writeInteger(type)
    if text.utf8.contains(where: \.isLineBreak) {
      writeBytes(text.utf8.lazy.map { $0.isLineBreak ? UInt8(ascii: " ") : $0 })
    } else {
      writeString(text)
    }
    writeLineEnd()
  }

  mutating func writeLineEnd() {
    writeInteger(0x0D0A, as: UInt16.self)
  }

  private mutating func writeDecimal(_ number: Int64) {
    if (0...9).contains(number) {
      writeInteger(UInt8(ascii: "0") + UInt8(number))
      return
    }
    let length = number.decimalDigits
    writeWithUnsafeMutableBytes(minimumWritableBytes: length) { space in
      var magnitude = number.magnitude
      var index = length - 1
      repeat {
        space[index] = UInt8(ascii: "0") + UInt8(magnitude % 10)
        magnitude /= 10
        index -= 1
      } while magnitude > 0
      if number < 0 { space[0] = UInt8(ascii: "-") }
      return length
    }
  }
}

extension UInt8 {
  fileprivate var isLineBreak: Bool { self == 0x0D || self == 0x0A }
}

extension Int64 {
  /// Characters in decimal notation, a minus sign included.
  var decimalDigits: Int {
    var digits = self < 0 ? 2 : 1
    var rest = magnitude
    while rest >= 10 {
      rest /= 10
      digits += 1
    }
    return digits
  }
}
