/// A command's name in upper case, packed for comparison: the name of a command is looked up for
/// every command that passes.
struct CommandName: Hashable {
  /// Names are shorter; longer ones are no command that matters here.
  static let maximumLength = 24

  private let first: UInt64
  private let second: UInt64
  private let third: UInt64

  /// - Parameter bytes: in any case. Nil if there are too many of them or none.
  @inline(__always)
  init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    let count = range.count
    guard count > 0, count <= Self.maximumLength else { return nil }
    first = Self.word(bytes, range.lowerBound, range.upperBound)
    second = count > 8 ? Self.word(bytes, range.lowerBound + 8, range.upperBound) : 0
    third = count > 16 ? Self.word(bytes, range.lowerBound + 16, range.upperBound) : 0
  }

  init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    self.init(bytes.span, 0..<bytes.count)
  }

  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in start..<min(end, start + 8) {
      let byte = bytes[index]
      let isLower = byte &- UInt8(ascii: "a") < 26
      word = word << 8 | UInt64(isLower ? byte & 0xDF : byte)
    }
    return word
  }

  /// Spreads names over a table.
  @inline(__always)
  var spread: Int {
    let mixed =
      (first ^ (second &* 0x9E37_79B9_7F4A_7C15) ^ (third &* 0xC2B2_AE3D_27D4_EB4F))
      &* 0xFF51_AFD7_ED55_8CCD
    return Int(truncatingIfNeeded: mixed >> 32)
  }
}
