import Glibc

extension TextParser {
  /// Reads a number; what is not plain digits is looked at more closely.
  @inline(__always)
  mutating func number(_ what: StaticString) throws(ExpositionError) {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position &+= 1 }
    let digits = position
    while isDigit(bytes[position]) { position &+= 1 }
    var isPlain = position > digits
    if bytes[position] == UInt8(ascii: ".") {
      position &+= 1
      let fraction = position
      while isDigit(bytes[position]) { position &+= 1 }
      isPlain = isPlain && position > fraction
    }
    let byte = bytes[position]
    if isPlain, position &- start < 300, byte == UInt8(ascii: "\n") || isBlank(byte) { return }
    try oddNumber(what, start)
  }

  private mutating func oddNumber(_ what: StaticString, _ start: Int) throws(ExpositionError) {
    position = start
    let number = token()
    guard FloatSyntax.value(of: number) != nil else {
      position = start
      throw fault("\(what) is no number that Prometheus takes")
    }
  }

  /// Reads to the next blank or line end.
  private mutating func token() -> UnsafeBufferPointer<UInt8> {
    let start = position
    while !isBlank(bytes[position]), bytes[position] != UInt8(ascii: "\n"),
      bytes[position] != UInt8(ascii: "\r")
    {
      position += 1
    }
    return UnsafeBufferPointer(start: bytes + start, count: position - start)
  }

  mutating func timestamp() throws(ExpositionError) {
    let token = token()
    if isOpenMetrics {
      guard let seconds = FloatSyntax.value(of: token), abs(seconds) < Double(UnixTime.endOfSeconds)
      else {
        throw fault("a timestamp is not a number of seconds")
      }
    } else {
      guard Int64(String(decoding: token, as: UTF8.self)) != nil else {
        throw fault("a timestamp is not a whole number of milliseconds")
      }
    }
  }
}

/// Numbers as Prometheus reads them: those of Go's `ParseFloat` without hexadecimal and `_`.
enum FloatSyntax {
  /// Nil if it is none, or too large for one.
  static func value(of bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    // Longer ones are never needed to tell one number from the next.
    guard !bytes.isEmpty, bytes.count <= 1024 else { return nil }
    var index = 0
    var isNegative = false
    if bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+") {
      isNegative = bytes[0] == UInt8(ascii: "-")
      index = 1
    }
    guard index < bytes.count else { return nil }
    if (bytes[index] | 0x20) == UInt8(ascii: "i") || (bytes[index] | 0x20) == UInt8(ascii: "n") {
      switch String(decoding: bytes[index...], as: UTF8.self).lowercased() {
      case "inf", "infinity": return isNegative ? -.infinity : .infinity
      case "nan": return index == 0 ? .nan : nil
      default: return nil
      }
    }
    guard isDecimal(bytes[index...]) else { return nil }
    let value = withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { text in
      for (index, byte) in bytes.enumerated() { text[index] = CChar(bitPattern: byte) }
      text[bytes.count] = 0
      return text.baseAddress.map { strtod($0, nil) } ?? .nan
    }
    return value.isFinite ? value : nil
  }

  /// `digits [. digits] | . digits`, then perhaps an exponent.
  private static func isDecimal(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    var rest = bytes
    func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
    var digits = rest.prefix(while: isDigit).count
    rest = rest.dropFirst(digits)
    if rest.first == UInt8(ascii: ".") {
      let fraction = rest.dropFirst().prefix(while: isDigit).count
      rest = rest.dropFirst(fraction + 1)
      digits += fraction
    }
    guard digits > 0 else { return false }
    guard let mark = rest.first else { return true }
    guard mark | 0x20 == UInt8(ascii: "e") else { return false }
    rest = rest.dropFirst()
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
      rest = rest.dropFirst()
    }
    return !rest.isEmpty && rest.allSatisfy(isDigit)
  }
}
