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
