/// The name of a value: 1 to 1,024 bytes of UTF-8, any character but NUL.
///
/// A slash is a character like others, also at an end or twice in a row. Only a segment `.` or `..`
/// is refused: clients, proxies and file systems resolve it on the way.
package struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The most bytes of a key, as in S3.
  package static let maximumLength = 1024

  package let text: String

  /// - Parameter bytes: the key itself, with no escapes.
  package init(_ bytes: [UInt8]) throws(InvalidKey) {
    if bytes.isEmpty { throw .empty }
    if bytes.count > Self.maximumLength { throw .tooLong(bytes.count) }
    if bytes.contains(0) { throw .containsNUL }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .isNotUTF8 }
    if Self.hasDotSegment(bytes) { throw .dotSegment }
    self.text = text
  }

  private static func hasDotSegment(_ bytes: [UInt8]) -> Bool {
    // The length of the segment so far, as long as it consists of dots.
    var dots: Int? = 0
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "/"):
        if dots == 1 || dots == 2 { return true }
        dots = 0
      case UInt8(ascii: "."): dots = dots.map { $0 + 1 }
      default: dots = nil
      }
    }
    return dots == 1 || dots == 2
  }

  package init(_ text: String) throws(InvalidKey) { try self.init(Array(text.utf8)) }

  /// Byte by byte, as stores compare: letters that look alike may be different keys.
  package static func == (left: ObjectKey, right: ObjectKey) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  package var description: String { text }
}

/// Why bytes are not a key.
package enum InvalidKey: Error, Sendable, Hashable, CustomStringConvertible {
  case empty
  /// The number of its bytes.
  case tooLong(Int)
  case containsNUL
  case isNotUTF8
  case dotSegment

  package var description: String {
    switch self {
    case .empty: "missing key"
    case .tooLong(let count):
      "the key has \(count) bytes: at most \(ObjectKey.maximumLength) are allowed"
    case .containsNUL: "the key contains a NUL, the only character that is not allowed"
    case .isNotUTF8: "the key is not UTF-8"
    case .dotSegment: "the key has a segment \".\" or \"..\", which is not allowed"
    }
  }
}
