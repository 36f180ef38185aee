/// A name that a metric may have: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
///
/// See https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels.
package struct MetricName: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  package init(_ text: String) throws(PrometheusTextError) {
    guard NameSyntax.metric.accepts(text) else {
      throw PrometheusTextError(code: .invalidMetricName, text: text)
    }
    self.text = text
  }

  /// Makes a name of any text: what is not allowed becomes `_`.
  package init(sanitizing text: String) { self.text = NameSyntax.metric.sanitized(text) }

  private init(valid text: String) { self.text = text }

  /// The name of a series of this metric, such as `x_bucket`; `suffix` holds letters and `_` only.
  package func appending(_ suffix: StaticString) -> MetricName {
    MetricName(valid: text + suffix.description)
  }

  package var description: String { text }

  package static func < (one: MetricName, other: MetricName) -> Bool { one.text < other.text }
}

/// A label of a series: a name `[a-zA-Z_][a-zA-Z0-9_]*` and any text.
package struct MetricLabel: Hashable, Sendable {
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) throws(PrometheusTextError) {
    guard NameSyntax.label.accepts(name) else {
      throw PrometheusTextError(code: .invalidLabelName, text: name)
    }
    self.name = name
    self.value = value
  }

  /// Makes a label of any name: what is not allowed becomes `_`.
  package init(sanitizing name: String, _ value: String) {
    self.name = NameSyntax.label.sanitized(name)
    self.value = value
  }
}

/// Which names there are, and what becomes of others.
private struct NameSyntax {
  static let metric = NameSyntax(allowsColon: true)
  static let label = NameSyntax(allowsColon: false)

  let allowsColon: Bool

  func accepts(_ text: String) -> Bool {
    LegacyName.accepts(text.utf8, allowsColon: allowsColon)
  }

  func sanitized(_ text: String) -> String {
    if accepts(text) { return text }
    let underscore = UInt8(ascii: "_")
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      let byte = scalar.isASCII ? UInt8(truncatingIfNeeded: scalar.value) : underscore
      let isAllowed = LegacyName.accepts(byte, isFirst: false, allowsColon: allowsColon)
      if bytes.isEmpty, isAllowed,
        !LegacyName.accepts(byte, isFirst: true, allowsColon: allowsColon)
      {
        bytes.append(underscore)
      }
      bytes.append(isAllowed ? byte : underscore)
    }
    return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
  }
}
