/// Names one version of a value: without quotation marks, as RFC 9110, section 8.8.3, calls it
/// opaque. Never weak.
package struct ETag: Sendable, Hashable, CustomStringConvertible {
  package let text: String

  /// Nil unless all characters may stand between the quotation marks of a header field.
  package init?(_ text: String) {
    guard text.utf8.allSatisfy({ $0 == 0x21 || (0x23...0x7e).contains($0) || $0 >= 0x80 }) else {
      return nil
    }
    self.text = text
  }

  /// - Parameter digits: of letters and digits only.
  init(digits: String) { text = digits }

  package var description: String { "\"\(text)\"" }
}

/// What an `If-Match` or `If-None-Match` names.
package enum ETagCondition: Sendable, Hashable {
  /// `*`: whatever is there.
  case any
  /// One of these. Weak ones of the client are left out where a strong comparison is asked for.
  case oneOf([ETag])

  package func matches(_ tag: ETag) -> Bool {
    switch self {
    case .any: true
    case .oneOf(let tags): tags.contains(tag)
    }
  }
}
