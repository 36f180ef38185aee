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

  /// As OpenMetrics names it: without what the kind adds to names.
  package var openMetricsName: String {
    switch kind {
    case .counter where name.hasSuffix("_total"): String(name.dropLast("_total".count))
    case .info where name.hasSuffix("_info"): String(name.dropLast("_info".count))
    default: name
    }
  }

  /// The kind as far as the format can say it: OpenMetrics names a counter's samples with `_total`.
  func kind(in format: ExpositionFormat) -> FamilyKind {
    guard format == .openMetrics, openMetricsName == name else { return kind }
    return kind == .counter ? .unknown : kind == .info ? .gauge : kind
  }

  package func name(in format: ExpositionFormat) -> String {
    format == .openMetrics ? openMetricsName : name
  }
}

/// The samples of a part that go into a family.
package struct SampleSelection: Sendable {
  package let exposition: Exposition
  package let part: ExpositionPart
  package let suffixes: SampleSuffixes

  /// The label to add to each sample.
  package let sourceLabel: SeriesLabel?

  package init(
    _ part: ExpositionPart, of exposition: Exposition, suffixes: SampleSuffixes = .all,
    sourceLabel: SeriesLabel?
  ) {
    self.part = part
    self.exposition = exposition
    self.suffixes = suffixes
    self.sourceLabel = sourceLabel
  }

  /// The number of samples that ``suffixes`` keep, duplicates not counted.
  package var sampleCount: Int {
    part.records.count { index in
      let record = exposition.records[index]
      return !record.traits.contains(.duplicate)
        && (exposition.format == .protobuf || suffixes.contains(record.suffix))
    }
  }
}
