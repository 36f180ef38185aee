import Glibc

/// A text that equals only a text of the same bytes, as Prometheus compares: Swift takes `é` and
/// `e´` for one.
package struct ExactText: Hashable, Comparable, Sendable {
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (one: ExactText, other: ExactText) -> Bool {
    one.text.utf8.count == other.text.utf8.count && one.text.begins(with: other.text)
  }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8(0xFF))
  }

  package static func < (one: ExactText, other: ExactText) -> Bool {
    one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
  }
}

extension String {
  /// Whether the bytes begin with those of another text.
  func begins(with start: String) -> Bool {
    let isEqual = utf8.withContiguousStorageIfAvailable { bytes in
      start.utf8.withContiguousStorageIfAvailable { start -> Bool in
        guard let base = bytes.baseAddress, let other = start.baseAddress else {
          return start.isEmpty
        }
        return bytes.count >= start.count && memcmp(base, other, start.count) == 0
      }
    }
    return isEqual.flatMap { $0 } ?? utf8.starts(with: start.utf8)
  }
}
