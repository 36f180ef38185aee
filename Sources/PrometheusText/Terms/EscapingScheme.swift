/// How names that are not made of letters, digits, `_` and `:` are written for a scraper.
///
/// See https://prometheus.io/docs/instrumenting/escaping_schemes/.
package enum EscapingScheme: String, Hashable, Sendable, CaseIterable {
  case allowUTF8 = "allow-utf-8"
  case underscores
  case dots
  case values

  /// A metric's name as the scheme writes it; names of the old kind stay as they are.
  package func escape(metric name: String) -> String { escape(name, allowsColon: true) }

  /// A label's name as the scheme writes it.
  package func escape(label name: String) -> String { escape(name, allowsColon: false) }

  private func escape(_ name: String, allowsColon: Bool) -> String {
    if self == .allowUTF8 || LegacyName.accepts(name.utf8, allowsColon: allowsColon) { return name }
    var result = self == .values ? "U__" : ""
    var isFirst = true
    for scalar in name.unicodeScalars {
      let isLegacy =
        scalar.isASCII
        && LegacyName.accepts(
          UInt8(truncatingIfNeeded: scalar.value), isFirst: isFirst, allowsColon: allowsColon)
      isFirst = false
      switch self {
      case .allowUTF8: break
      case .underscores: result.unicodeScalars.append(isLegacy ? scalar : "_")
      case .dots:
        if scalar == "." {
          result += "_dot_"
        } else if isLegacy, scalar != "_" {
          result.unicodeScalars.append(scalar)
        } else {
          result += "__"
        }
      case .values:
        if scalar == "_" {
          result += "__"
        } else if isLegacy {
          result.unicodeScalars.append(scalar)
        } else {
          result += "_\(String(scalar.value, radix: 16))_"
        }
      }
    }
    return result
  }
}
