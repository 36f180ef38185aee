/// A place in a JSON text (RFC 6901), as an array of unescaped tokens.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
  package let tokens: [String]

  package init(_ tokens: String...) { self.tokens = tokens }
  package init(tokens: [String]) { self.tokens = tokens }

  /// - Returns: nil if `text` is neither empty nor starts with a slash, or has a bad escape.
  package init?(parsing text: String) {
    guard !text.isEmpty else {
      tokens = []
      return
    }
    guard text.first == "/" else { return nil }
    var tokens: [String] = []
    for token in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let unescaped = Self.unescape(token) else { return nil }
      tokens.append(unescaped)
    }
    self.tokens = tokens
  }

  /// The escaped form: `~` becomes `~0` and `/` becomes `~1`.
  package var description: String {
    var text: [UInt8] = []
    for token in tokens {
      text.append(UInt8(ascii: "/"))
      for byte in token.utf8 {
        switch byte {
        case UInt8(ascii: "~"): text.append(contentsOf: "~0".utf8)
        case UInt8(ascii: "/"): text.append(contentsOf: "~1".utf8)
        default: text.append(byte)
        }
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func unescape(_ token: Substring) -> String? {
    var text = ""
    var scalars = token.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      guard scalar == "~" else {
        text.unicodeScalars.append(scalar)
        continue
      }
      switch scalars.next() {
      case "0": text += "~"
      case "1": text += "/"
      default: return nil
      }
    }
    return text
  }
}
