/// What is locked: a key in a Kubernetes namespace.
package struct NamespacedKey: Sendable, Hashable, CustomStringConvertible {
  package let namespace: String
  package let key: String

  package init(namespace: String, key: String) {
    self.namespace = namespace
    self.key = key
  }

  /// Reads `<namespace>/<key>`; the key itself may contain slashes.
  package init?(parsing text: String) {
    // As bytes: a combining character at the start of the key would merge with the slash.
    guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    namespace = String(text[..<slash])
    key = String(text[text.utf8.index(after: slash)...])
    if namespace.isEmpty || key.isEmpty { return nil }
  }

  /// Byte by byte, as stores compare: letters that look alike may be different keys.
  package static func == (left: NamespacedKey, right: NamespacedKey) -> Bool {
    left.namespace.utf8.elementsEqual(right.namespace.utf8)
      && left.key.utf8.elementsEqual(right.key.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    for text in [namespace, key] {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      hasher.combine(0 as UInt8)
    }
  }

  package var description: String { "\(namespace)/\(key)" }
}
