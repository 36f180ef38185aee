/// What is wrong with a metric or its text.
package struct PrometheusTextError: Error, Hashable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    /// The text is no metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    case invalidMetricName
    /// The text is no label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
    case invalidLabelName
  }

  package let code: Code

  /// What was refused, as it was given.
  package let text: String

  package var description: String {
    switch code {
    case .invalidMetricName:
      "'\(text)' is not a metric name: use letters, digits, '_' and ':', and no digit in front"
    case .invalidLabelName:
      "'\(text)' is not a label name: use letters, digits and '_', and no digit in front"
    }
  }
}
