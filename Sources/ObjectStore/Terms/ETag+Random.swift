extension ETag {
  /// A new one of 128 random bits. Unlike a hash of the value, no version has one that an earlier
  /// one had: who compares and swaps sees that something was there in between.
  static func random() -> ETag {
    var generator = SystemRandomNumberGenerator()
    return ETag(high: generator.next(), low: generator.next())
  }

  init(high: UInt64, low: UInt64) { self.init(digits: Self.hex(high) + Self.hex(low)) }

  private static func hex(_ word: UInt64) -> String {
    String(unsafeUninitializedCapacity: 16) { digits in
      for index in 0..<16 {
        let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index)) & 0xf
        digits[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
      }
      return 16
    }
  }
}
