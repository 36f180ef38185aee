/// The number behind a type byte that announces how much follows.
enum RESPLength: Hashable {
  case exactly(Int)
  /// `-1`: the nulls of version 2.
  case null
  /// `?`: as much as there is until an end marker.
  case streamed

  /// Reads the whole line, its type byte included.
  init(_ line: Span<UInt8>, at offset: Int64) throws(RESPError) {
    if line.count == 2, line[1] == UInt8(ascii: "?") {
      self = .streamed
      return
    }
    guard let number = Int64(resp: line), number >= -1, let length = Int(exactly: number) else {
      throw RESPError(
        .malformed, at: offset, "'\(Character(UnicodeScalar(line[0])))' needs a decimal length")
    }
    self = number == -1 ? .null : .exactly(length)
  }

  func exact(_ type: UInt8, at offset: Int64) throws(RESPError) -> Int {
    guard case .exactly(let length) = self else {
      throw RESPError(
        .malformed, at: offset,
        "'\(Character(UnicodeScalar(type)))' can be neither null nor streamed")
    }
    return length
  }

  /// Nil for streamed.
  func countOrStreamed(_ type: UInt8, at offset: Int64) throws(RESPError) -> Int? {
    switch self {
    case .exactly(let length): return length
    case .streamed: return nil
    case .null:
      throw RESPError(
        .malformed, at: offset, "'\(Character(UnicodeScalar(type)))' cannot be null")
    }
  }
}

extension Int64 {
  /// The decimal number behind the first byte of a line; nil unless it is one and fits.
  init?(resp line: Span<UInt8>) {
    var index = 1
    guard index < line.count else { return nil }
    let isNegative = line[index] == UInt8(ascii: "-")
    if isNegative || line[index] == UInt8(ascii: "+") { index += 1 }
    guard index < line.count else { return nil }
    var magnitude: UInt64 = 0
    while index < line.count {
      let digit = line[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { return nil }
      magnitude = sum
      index += 1
    }
    if isNegative {
      guard magnitude <= Int64.min.magnitude else { return nil }
      self = Int64(truncatingIfNeeded: 0 &- magnitude)
    } else {
      guard let number = Int64(exactly: magnitude) else { return nil }
      self = number
    }
  }
}
