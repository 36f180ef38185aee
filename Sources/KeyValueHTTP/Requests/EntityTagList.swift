import ObjectStore

/// What `If-Match` and `If-None-Match` hold (RFC 9110, section 13.1).
enum EntityTagList {
  /// - Parameter keepsWeak: for the weak comparison of `If-None-Match`; the strong one never holds
  ///   for a weak tag.
  /// - Returns: nil if the text is neither `*` nor a list of quoted tags.
  static func condition(_ text: String, keepsWeak: Bool) -> ETagCondition? {
    var rest = Array(text.utf8)[...]
    skipBlanks(&rest)
    if rest.first == UInt8(ascii: "*") {
      rest.removeFirst()
      skipBlanks(&rest)
      return rest.isEmpty ? .any : nil
    }
    var tags: [ETag] = []
    var count = 0
    while true {
      // Empty elements of lists are to be read over (section 5.6.1.2).
      while rest.first == UInt8(ascii: ",") {
        rest.removeFirst()
        skipBlanks(&rest)
      }
      if rest.isEmpty { return count > 0 ? .oneOf(tags) : nil }
      guard let (tag, isWeak) = tag(&rest) else { return nil }
      count += 1
      if keepsWeak || !isWeak { tags.append(tag) }
      skipBlanks(&rest)
      guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
    }
  }

  /// A single tag; nil: the text is none.
  static func tag(_ text: String) -> (tag: ETag, isWeak: Bool)? {
    var rest = Array(text.utf8)[...]
    guard let tag = tag(&rest), rest.isEmpty else { return nil }
    return tag
  }

  private static func tag(_ rest: inout ArraySlice<UInt8>) -> (ETag, isWeak: Bool)? {
    let isWeak = rest.starts(with: "W/".utf8)
    if isWeak { rest = rest.dropFirst(2) }
    guard rest.popFirst() == UInt8(ascii: "\""),
      let end = rest.firstIndex(of: UInt8(ascii: "\"")),
      let text = String(validating: rest[..<end], as: UTF8.self), let tag = ETag(text)
    else { return nil }
    rest = rest[(end + 1)...]
    return (tag, isWeak)
  }

  private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }
}
