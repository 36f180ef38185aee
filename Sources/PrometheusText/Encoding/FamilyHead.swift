/// What is said once about a family in an answer.
package struct FamilyHead: Hashable, Sendable {
  /// As text 0.0.4 and protobuf name it: a counter's with `_total`; not escaped.
  package var name: String
  package var kind: FamilyKind
  /// Empty: none.
  package var help: String
  /// Empty: none.
  package var unit: String

  package init(name: String, kind: FamilyKind, help: String = "", unit: String = "") {
    self.name = name
    self.kind = kind
    self.help = help
    self.unit = unit
  }

  /// The name behind `# TYPE`, escaped.
  package func name(in output: NegotiatedFormat) -> String {
    let escaped = output.escaping.escape(metric: name)
    return output.format == .openMetrics ? kind.stem(of: escaped) ?? escaped : escaped
  }

  /// The kind as far as the format can say it: OpenMetrics has words only for counters whose samples
  /// end with `_total`.
  func kind(in output: NegotiatedFormat) -> FamilyKind {
    guard output.format == .openMetrics,
      kind.stem(of: output.escaping.escape(metric: name)) == nil
    else { return kind }
    return kind.withoutStem
  }
}
