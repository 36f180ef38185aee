/// Decimal numbers at the end of a line, strictly as Redis reads them (`string2ll`).
enum RESPNumber {
  /// Digits of the longest number that counts anything here.
  private static let maximumDigits = 19

  /// The number between `start` and CR LF, and where the next line starts; nil while bytes are
  /// missing.
  @inline(__always)
  static func read(
    _ bytes: Span<UInt8>, from start: Int, tooLong: RESPScanError, invalid: RESPScanError
  ) throws(RESPScanError) -> (number: Int, end: Int)? {
    let available = bytes.count
    var index = start
    var number = 0
    var isNegative = false
    if index < available, bytes[index] == UInt8(ascii: "-") {
      isNegative = true
      index += 1
    }
    let first = index
    while index < available {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      guard index - first < maximumDigits - 1 else { throw tooLong }
      number = number &* 10 &+ Int(digit)
      index += 1
    }
    guard index + 1 < available else {
      guard index == available || bytes[index] == 0x0D else { throw invalid }
      return nil
    }
    guard bytes[index] == 0x0D, bytes[index + 1] == 0x0A else { throw invalid }
    let digits = index - first
    // No empty number, no leading zeros, no minus zero.
    guard digits > 0, bytes[first] != UInt8(ascii: "0") || (digits == 1 && !isNegative) else {
      throw invalid
    }
    return (isNegative ? -number : number, index + 2)
  }
}
