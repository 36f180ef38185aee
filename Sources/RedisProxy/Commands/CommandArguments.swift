import NIOCore

/// The arguments of a complete command, for the few commands that are looked into.
struct CommandArguments {
  private(set) var words: [ByteBuffer] = []

  /// - Parameter command: as the scanner delimited it.
  init(_ command: ByteBuffer) {
    var rest = command
    guard let count = Self.number(&rest) else { return }
    words.reserveCapacity(min(count, 1024))
    for _ in 0..<count {
      guard let length = Self.number(&rest), let word = rest.readSlice(length: length) else {
        return
      }
      words.append(word)
      rest.moveReaderIndex(forwardBy: min(2, rest.readableBytes))
    }
  }

  var count: Int { words.count }

  /// An argument as text; nil if there is none. Bytes that are no UTF-8 are repaired.
  subscript(index: Int) -> String? {
    words.indices.contains(index) ? String(buffer: words[index]) : nil
  }

  /// Whether an argument is this word, in any case; as for the server, it ends at a zero byte.
  func has(_ word: StaticString, at index: Int) -> Bool {
    guard words.indices.contains(index) else { return false }
    let text = words[index]
    let bytes = text.readableBytesUInt8Span
    let length = word.utf8CodeUnitCount
    guard bytes.count >= length, bytes.count == length || bytes[length] == 0 else { return false }
    for place in 0..<length {
      let byte = bytes[place]
      let isLower = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      guard word.utf8Start[place] == (isLower ? byte & 0xDF : byte) else { return false }
    }
    return true
  }

  /// Whether any argument is this word, in any case.
  func contains(_ word: StaticString) -> Bool {
    words.indices.dropFirst().contains { has(word, at: $0) }
  }

  /// Reads a type byte and the number behind it.
  private static func number(_ rest: inout ByteBuffer) -> Int? {
    guard let end = rest.readableBytesView.firstIndex(of: 0x0A) else { return nil }
    guard let line = rest.readString(length: end - rest.readerIndex + 1) else { return nil }
    return Int(line.dropFirst().dropLast())
  }
}
