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

/// Which bytes a name is made of.
private struct NameSyntax {
  static let metric = NameSyntax(allowsColon: true)
  static let label = NameSyntax(allowsColon: false)

  let allowsColon: Bool

  func accepts(_ text: String) -> Bool {
    guard let first = text.utf8.first, !isDigit(first) else { return false }
    return text.utf8.allSatisfy(accepts)
  }

  func sanitized(_ text: String) -> String {
    if accepts(text) { return text }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      let byte = scalar.isASCII ? UInt8(truncatingIfNeeded: scalar.value) : UInt8(ascii: "_")
      if bytes.isEmpty, isDigit(byte) { bytes.append(UInt8(ascii: "_")) }
      bytes.append(accepts(byte) ? byte : UInt8(ascii: "_"))
    }
    return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
  }

  private func accepts(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"):
      true
    case UInt8(ascii: ":"): allowsColon
    default: isDigit(byte)
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
