package import PrometheusText

/// Which families an answer has, in order, and whose samples are in them.
///
/// - A family has the first type that a source states for it, in the order of sources, and the first
///   help and unit.
/// - Samples without a type join a family of values if they have its name.
/// - What one source calls an info or a state set and another a gauge is a gauge.
/// - Samples of another type become families without a type, named as they are, unless somebody else
///   uses that name; then they are dropped.
package struct MergePlan: Sendable {
  package private(set) var families: [MergedFamily] = []
  /// For each input.
  package private(set) var conflicts: [MergeConflicts]

  /// Of the bytes that the selections refer to: they are held as long as the plan.
  private let shares: [ByteShare]

  package init(_ inputs: [MergeInput], for output: NegotiatedFormat) {
    conflicts = inputs.map { _ in MergeConflicts() }
    shares = inputs.compactMap(\.share)
    var groups = FamilyGroups(output)
    for (number, input) in inputs.enumerated() {
      for part in input.exposition.parts {
        groups.add(part, of: number, format: input.exposition.format) {
          conflicts[number].dropped += count(inputs, $0)
        }
      }
    }
    groups.settle { member, isKept in
      let count = count(inputs, member)
      if isKept {
        conflicts[member.input].kept += count
      } else {
        conflicts[member.input].dropped += count
      }
    }
    families = groups.ordered().map { group in
      MergedFamily(
        head: group.head,
        selections: group.members.map { member in
          SampleSelection(
            member.part, of: inputs[member.input].exposition, suffixes: member.suffixes,
            sourceLabel: inputs[member.input].label)
        })
    }
  }
}

private func count(_ inputs: [MergeInput], _ member: FamilyMember) -> Int {
  SampleSelection(
    member.part, of: inputs[member.input].exposition, suffixes: member.suffixes, sourceLabel: nil
  ).sampleCount
}
