extension Token {
  /// A new token of 122 random bits as a version 4 UUID (RFC 9562, section 5.4): what permits are
  /// named in the layout that they share with other implementations.
  package static func uuid() -> Token {
    var generator = SystemRandomNumberGenerator()
    return uuid(using: &generator)
  }

  package static func uuid(using generator: inout some RandomNumberGenerator) -> Token {
    let high = (generator.next() as UInt64) & ~0xF000 | 0x4000
    let low = (generator.next() as UInt64) & ~(0b11 << 62) | 0b10 << 62
    return Token(
      String(unsafeUninitializedCapacity: 36) { text in
        var length = 0
        for (word, groups) in [(high, [8, 4, 4]), (low, [4, 12])] {
          var shift = 64
          for digits in groups {
            if length > 0 {
              text[length] = UInt8(ascii: "-")
              length += 1
            }
            for _ in 0..<digits {
              shift -= 4
              let digit = UInt8(truncatingIfNeeded: word >> shift) & 15
              text[length] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
              length += 1
            }
          }
        }
        return length
      })
  }
}
