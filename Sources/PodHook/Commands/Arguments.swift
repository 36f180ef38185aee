package import Coordination
package import ServiceKit

/// How a command prints what it found.
package enum OutputFormat: String, CaseIterable, Sendable {
  case text
  case json
}

extension NamespacedKey {
  /// The key argument of a command; faults go to the reader.
  package static func read(_ text: String?, _ reader: inout OptionReader) -> NamespacedKey? {
    guard let text else { return nil }
    let key = NamespacedKey(parsing: text)
    if key == nil { reader.rejectArgument("KEY", value: text, allowed: "<namespace>/<key>") }
    return key
  }
}
