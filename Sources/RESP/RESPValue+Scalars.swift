extension RESPValue {
  /// The values of version 3 that fit in a line: null, boolean, double and big number. `line`
  /// includes the type byte, `text` does not.
  init(
    scalar type: UInt8, _ line: Span<UInt8>, text: @autoclosure () -> String, at offset: Int64
  ) throws(RESPError) {
    switch type {
    case UInt8(ascii: "_"):
      guard line.count == 1 else {
        throw RESPError(.malformed, at: offset, "'_' stands alone on its line")
      }
      self = .null
    case UInt8(ascii: "#"):
      guard line.count == 2, line[1] == UInt8(ascii: "t") || line[1] == UInt8(ascii: "f") else {
        throw RESPError(.malformed, at: offset, "'#' needs t or f")
      }
      self = .boolean(line[1] == UInt8(ascii: "t"))
    case UInt8(ascii: ","):
      guard let number = Double(resp: text()) else {
        throw RESPError(.malformed, at: offset, "',' needs a decimal number, inf, -inf or nan")
      }
      self = .double(number)
    case UInt8(ascii: "("):
      let digits = text()
      guard digits.isDecimalInteger else {
        throw RESPError(.malformed, at: offset, "'(' needs decimal digits")
      }
      self = .bigNumber(digits)
    default: throw .unknownType(type, at: offset)
    }
  }
}

extension Double {
  fileprivate init?(resp text: String) {
    switch text {
    case "inf", "+inf": self = .infinity
    case "-inf": self = -.infinity
    // Some C libraries print a sign in front of it, and so do servers that rely on them.
    case "nan", "-nan": self = .nan
    default:
      // The standard library would also take hexadecimal digits and longer names.
      let allowed = text.utf8.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || [
            UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "e"),
            UInt8(ascii: "E"),
          ].contains(byte)
      }
      guard allowed else { return nil }
      self.init(text)
    }
  }
}

extension String {
  fileprivate var isDecimalInteger: Bool {
    var digits = utf8[...]
    if digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+") {
      digits.removeFirst()
    }
    return !digits.isEmpty
      && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
