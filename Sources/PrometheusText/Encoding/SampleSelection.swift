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
    part.records.reduce(0) { sum, index in
      let record = exposition.records[index]
      if record.traits.contains(.duplicate) { return sum }
      guard exposition.format == .protobuf else {
        return sum + (suffixes.contains(record.suffix) ? 1 : 0)
      }
      let lines = exposition.point(record)?.lines(of: part, withCreated: true) ?? []
      return sum + lines.count { suffixes.contains($0.suffix) }
    }
  }
}
