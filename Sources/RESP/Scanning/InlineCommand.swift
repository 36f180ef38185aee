package import NIOCore

/// A line of words as a command, the way people type it.
package enum InlineCommand {
  /// Splits a line as Redis does (`sdssplitargs`): blanks, double quotes with escapes, single quotes.
  ///
  /// - Parameter line: without its end.
  package static func words(_ line: Span<UInt8>) throws(RESPScanError) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var index = 0
    while true {
      while index < line.count, isBlank(line[index]) { index += 1 }
      guard index < line.count, line[index] != 0 else { return words }
      var word: [UInt8] = []
      try read(line, &index, into: &word)
      words.append(word)
    }
  }

  /// The command as an array of bulk strings.
  package static func encode(_ words: [[UInt8]]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeRESPHeader(UInt8(ascii: "*"), Int64(words.count))
    for word in words { buffer.writeRESPBulk(ByteBuffer(bytes: word)) }
    return buffer
  }

  private static func read(
    _ line: Span<UInt8>, _ index: inout Int, into word: inout [UInt8]
  ) throws(RESPScanError) {
    var quote: UInt8?
    while index < line.count, line[index] != 0 {
      let byte = line[index]
      if let open = quote {
        if byte == UInt8(ascii: "\\"), index + 1 < line.count,
          open == UInt8(ascii: "\"") || line[index + 1] == UInt8(ascii: "'")
        {
          word.append(open == UInt8(ascii: "\"") ? escape(line, &index) : UInt8(ascii: "'"))
          if open == UInt8(ascii: "'") { index += 1 }
        } else if byte == open {
          // A closing quote has to be the end of its word.
          guard index + 1 == line.count || isBlank(line[index + 1]) || line[index + 1] == 0 else {
            throw .unbalancedQuotes
          }
          index += 1
          return
        } else {
          word.append(byte)
        }
      } else if isBlank(byte) {
        return
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else {
        word.append(byte)
      }
      index += 1
    }
    if quote != nil { throw .unbalancedQuotes }
  }

  /// The byte that an escape stands for; leaves the index on its last character.
  private static func escape(_ line: Span<UInt8>, _ index: inout Int) -> UInt8 {
    if line[index + 1] == UInt8(ascii: "x"), index + 3 < line.count,
      let high = hexadecimal(line[index + 2]), let low = hexadecimal(line[index + 3])
    {
      index += 3
      return high << 4 | low
    }
    index += 1
    return switch line[index] {
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "a"): 0x07
    default: line[index]
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }
}
