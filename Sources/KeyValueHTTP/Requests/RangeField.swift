import ObjectStore

/// What `Range` and `If-Range` hold (RFC 9110, sections 14.2 and 13.1.5).
enum RangeField {
  /// - Returns: nil if the whole value is to be sent: for several ranges, other units, and what is
  ///   no range, as the RFC allows.
  static func range(_ text: String) -> ByteRangeRequest? {
    let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, "bytes".isSameIgnoringCase(trimmed(halves[0])) else { return nil }
    let ends = trimmed(halves[1]).split(
      separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard ends.count == 2 else { return nil }
    if ends[0].isEmpty { return number(ends[1]).map { .suffix($0) } }
    guard let first = number(ends[0]) else { return nil }
    if ends[1].isEmpty { return .from(first) }
    guard let last = number(ends[1]), first <= last else { return nil }
    return .closed(first...last)
  }

  /// Dates never hold: a value may be replaced twice in a second, and nothing here tells which of
  /// the two the client has a part of (RFC 9110, sections 8.8.2.2 and 13.1.5). It gets all of it.
  static func validator(_ text: String) -> RangeValidator {
    guard let (tag, isWeak) = EntityTagList.tag(text), !isWeak else { return .never }
    return .etag(tag)
  }

  /// Digits only; what is too large for a number is more than any value has.
  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text) ?? .max
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
