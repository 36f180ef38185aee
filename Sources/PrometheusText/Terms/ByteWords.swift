/// Reads bytes eight at a time; there are ``padding`` more behind the last that counts.
enum ByteWords {
  static let padding = 16

  @inline(__always)
  static func load(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
  }

  /// The first `count` bytes of a word, zeros behind them; `count` is less than 8.
  @inline(__always)
  static func prefix(_ word: UInt64, _ count: Int) -> UInt64 {
    word & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1)
  }

  /// The high bit of each byte that equals `byte`; above the lowest one there may be false ones.
  @inline(__always)
  static func matches(_ word: UInt64, _ byte: UInt8) -> UInt64 {
    let difference = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
    return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
  }

  static func equal(
    _ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, count: Int
  ) -> Bool {
    var offset = 0
    while offset &+ 8 <= count {
      if load(one + offset) != load(other + offset) { return false }
      offset &+= 8
    }
    return prefix(load(one + offset) ^ load(other + offset), count &- offset) == 0
  }

  /// The first newline at or behind `position`; `end` if there is none before it.
  @inline(__always)
  static func newline(
    _ bytes: UnsafePointer<UInt8>, from position: Int, end: Int
  ) -> Int {
    var position = position
    while position < end {
      let found = matches(load(bytes + position), UInt8(ascii: "\n"))
      if found != 0 { return min(end, position &+ found.trailingZeroBitCount / 8) }
      position &+= 8
    }
    return end
  }
}

/// Hashes of names and label values; the seed differs from process to process, so that nobody can
/// choose names that collide.
enum SeriesHash {
  static let seed = UInt64.random(in: .min ... .max)

  @inline(__always)
  static func fold(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let (high, low) = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return high ^ low
  }

  /// Of all bytes.
  @inline(__always)
  static func name(_ bytes: UnsafePointer<UInt8>, count: Int, seed: UInt64) -> UInt64 {
    var hash = seed
    var offset = 0
    while offset &+ 8 <= count {
      hash = fold(hash, ByteWords.load(bytes + offset))
      offset &+= 8
    }
    return end(hash, ByteWords.load(bytes + offset), of: count, behind: count &- offset)
  }

  /// Takes in the last bytes of `count`, of which less than 8 are in `word`.
  @inline(__always)
  static func end(_ hash: UInt64, _ word: UInt64, of count: Int, behind rest: Int) -> UInt64 {
    fold(hash &+ UInt64(truncatingIfNeeded: count), ByteWords.prefix(word, rest))
  }

  /// Of all bytes of a text.
  static func name(_ text: String, seed: UInt64) -> UInt64 {
    let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: ByteWords.padding)
    return bytes.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { name($0, count: text.utf8.count, seed: seed) } ?? seed
    }
  }

  /// Of a label: values count up to the first byte that a text format escapes, so that a value has
  /// one hash in all formats.
  static func label(_ name: String, _ value: String, seed: UInt64) -> UInt64 {
    let end = value.utf8.firstIndex {
      $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n")
    }
    let prefix = value[..<(end ?? value.endIndex)]
    return fold(self.name(name, seed: seed), self.name(String(prefix), seed: seed))
  }

  @inline(__always)
  static func series(name: UInt64, labels: UInt64) -> UInt32 {
    let hash = fold(name, labels)
    return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
  }
}

/// Whether bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong).
enum UTF8Check {
  static func accepts(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
    var index = 0
    while index < count {
      let byte = bytes[index]
      index += 1
      if byte < 0x80 { continue }
      var range: ClosedRange<UInt8> = 0x80...0xBF
      let more: Int
      switch byte {
      case 0xC2...0xDF: more = 1
      case 0xE0: (more, range) = (2, 0xA0...0xBF)
      case 0xED: (more, range) = (2, 0x80...0x9F)
      case 0xE1...0xEF: more = 2
      case 0xF0: (more, range) = (3, 0x90...0xBF)
      case 0xF1...0xF3: more = 3
      case 0xF4: (more, range) = (3, 0x80...0x8F)
      default: return false
      }
      guard index + more <= count else { return false }
      for position in index..<index + more {
        guard range.contains(bytes[position]) else { return false }
        range = 0x80...0xBF
      }
      index += more
    }
    return true
  }
}
