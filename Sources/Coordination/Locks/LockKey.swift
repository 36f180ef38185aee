/// What is locked: a key in a Kubernetes namespace.
package struct LockKey: Sendable, Hashable, CustomStringConvertible {
  package let namespace: String
  package let key: String

  package init(namespace: String, key: String) {
    self.namespace = namespace
    self.key = key
  }

  /// Reads `<namespace>/<key>`; the key itself may contain slashes.
  package init?(parsing text: String) {
    guard let slash = text.firstIndex(of: "/") else { return nil }
    namespace = String(text[..<slash])
    key = String(text[text.index(after: slash)...])
    if namespace.isEmpty || key.isEmpty { return nil }
  }

  package var description: String { "\(namespace)/\(key)" }
}
