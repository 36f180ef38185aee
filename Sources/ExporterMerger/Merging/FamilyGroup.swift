import PrometheusText

/// Samples of one input that are in a family, or would be.
struct FamilyMember {
  let part: ExpositionPart
  let input: Int
  var suffixes: SampleSuffixes
  /// As far as the format of the answer has it.
  var kind: FamilyKind
}

/// A family while it is put together.
struct FamilyGroup {
  var head: FamilyHead
  var members: [FamilyMember] = []
  /// Whether it holds samples that had to leave another family.
  var isRefuge = false

  /// Adds samples; the first that state a type, a help or a unit decide it.
  mutating func take(_ member: FamilyMember) {
    if head.kind == .unknown {
      // Samples that came without a type are values: they do not fit into a histogram.
      if members.isEmpty || member.kind.isSimple { head.kind = member.kind }
    } else if head.kind != member.kind, head.kind.isSortOfGauge, member.kind.isSortOfGauge {
      // One library calls a metric info in OpenMetrics and gauge in the formats without that word.
      head.kind = .gauge
    }
    if head.help.isEmpty { head.help = member.part.help }
    if head.unit.isEmpty { head.unit = member.part.unit }
    members.append(member)
  }

  func fits(_ member: FamilyMember) -> Bool {
    member.kind == head.kind || member.kind == .unknown && head.kind.isSimple
      || member.kind.isSortOfGauge && head.kind == .gauge
  }
}
