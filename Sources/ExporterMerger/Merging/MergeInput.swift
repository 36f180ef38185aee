package import PrometheusText

/// The metrics of one source, on their way into an answer.
package struct MergeInput: Sendable {
  package var exposition: Exposition
  /// What each sample gets; nil for the merger's own.
  package let label: SeriesLabel?
  /// Of the exposition's bytes.
  let share: ByteShare?

  package init(_ exposition: Exposition, label: SeriesLabel?, share: ByteShare? = nil) {
    self.exposition = exposition
    self.label = label
    self.share = share
  }
}

/// A family of an answer: its head, and where its samples come from.
package struct MergedFamily: Sendable {
  package var head: FamilyHead
  package var selections: [SampleSelection]
}

/// Samples of a source that do not fit into the family that another source has under their name.
package struct MergeConflicts: Hashable, Sendable {
  /// Those that came out as families of their own, without a type.
  package var kept = 0
  /// Those that did not come out.
  package var dropped = 0

  package init() {}
}
