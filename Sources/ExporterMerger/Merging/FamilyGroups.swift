import PrometheusText

/// Samples of one input that are in a family, or would be.
struct FamilyMember {
  let part: ExpositionPart
  let input: Int
  var suffixes: SampleSuffixes
}

/// A family while it is put together.
struct FamilyGroup {
  var head: FamilyHead
  var members: [FamilyMember] = []
  /// Whether it holds samples that had to leave another family.
  var isRefuge = false

  /// Adds samples; the first that state a type, a help or a unit decide it.
  mutating func take(_ member: FamilyMember, _ kind: FamilyKind) {
    if head.kind == .unknown { head.kind = kind }
    if head.help.isEmpty { head.help = member.part.help }
    if head.unit.isEmpty { head.unit = member.part.unit }
    members.append(member)
  }
}

/// The families of an answer while they are put together, by the names that they will have.
struct FamilyGroups {
  private let output: NegotiatedFormat
  private var groups: [String: FamilyGroup] = [:]

  init(_ output: NegotiatedFormat) { self.output = output }

  /// Takes samples in under the name of their family.
  ///
  /// - Parameter drop: called with those whose name is escaped to one that another name has already.
  mutating func add(
    _ part: ExpositionPart, of input: Int, format: ExpositionFormat,
    drop: (FamilyMember) -> Void
  ) {
    let member = FamilyMember(part: part, input: input, suffixes: part.suffixes)
    guard output.format == .text else { return add(member, name: part.name, part.kind, drop: drop) }
    // Text 0.0.4 has no families for these.
    if part.kind == .gaugeHistogram {
      for suffix in part.suffixes.each { add(member, only: suffix, drop: drop) }
    } else if part.suffixes.contains(.created), format == .openMetrics {
      add(member, only: .created, drop: drop)
      var rest = member
      rest.suffixes.remove(.created)
      if !rest.suffixes.isEmpty { add(rest, name: part.name, part.kind, drop: drop) }
    } else {
      add(member, name: part.name, part.kind, drop: drop)
    }
  }

  /// Takes the samples with one suffix in, as a gauge of its own.
  private mutating func add(
    _ member: FamilyMember, only suffix: SampleSuffix, drop: (FamilyMember) -> Void
  ) {
    var member = member
    member.suffixes = SampleSuffixes(suffix)
    add(member, name: member.part.base + suffix.text, .gauge, drop: drop)
  }

  private mutating func add(
    _ member: FamilyMember, name: String, _ kind: FamilyKind, drop: (FamilyMember) -> Void
  ) {
    let kind = expressible(kind)
    let key = output.escaping.escape(metric: name)
    if let group = groups[key], group.head.name != name { return drop(member) }
    // In place: a source may have its samples in very many pieces.
    groups[key, default: FamilyGroup(head: FamilyHead(name: name, kind: .unknown))]
      .take(member, kind)
  }

  /// What the kind is in the format of the answer, as far as that has it.
  private func expressible(_ kind: FamilyKind) -> FamilyKind {
    switch kind {
    case .info, .stateSet: output.format == .openMetrics ? kind : .gauge
    default: kind
    }
  }

  /// Finds another place for samples that are of another type than their family.
  ///
  /// - Parameter note: told of them, and whether they are kept.
  mutating func settle(note: (FamilyMember, _ isKept: Bool) -> Void) {
    var homeless: [FamilyMember] = []
    for key in groups.keys.sorted() {
      guard var group = groups[key] else { continue }
      let kind = group.head.kind
      let misfits = group.members.filter { !fits($0, kind) }
      if misfits.isEmpty { continue }
      homeless += misfits
      group.members.removeAll { !fits($0, kind) }
      groups[key] = group
    }
    if homeless.isEmpty { return }
    let taken = sampleNames()
    // The order of sources, not that of names, decides between those that want the same name.
    for member in homeless.sorted(by: { $0.input < $1.input }) {
      for suffix in member.part.suffixes.intersection(member.suffixes).each {
        var single = member
        single.suffixes = SampleSuffixes(suffix)
        note(single, rehouse(single, member.part.base + suffix.text, taken))
      }
    }
  }

  private mutating func rehouse(
    _ member: FamilyMember, _ name: String, _ taken: Set<String>
  ) -> Bool {
    let key = output.escaping.escape(metric: name)
    if taken.contains(key) { return false }
    var refuge =
      groups[key] ?? FamilyGroup(head: FamilyHead(name: name, kind: .unknown), isRefuge: true)
    guard refuge.isRefuge, refuge.head.name == name else { return false }
    refuge.members.append(member)
    groups[key] = refuge
    return true
  }

  private func fits(_ member: FamilyMember, _ kind: FamilyKind) -> Bool {
    let own =
      member.suffixes == SampleSuffixes.created && output.format == .text
      ? .gauge : expressible(member.part.kind)
    if own == kind || member.part.kind == .gaugeHistogram && output.format == .text { return true }
    guard own == .unknown else { return false }
    switch kind {
    case .counter, .gauge, .info, .stateSet, .unknown: return true
    case .histogram, .summary, .gaugeHistogram: return false
    }
  }

  /// The names of families and of all their samples, as they will be written.
  private func sampleNames() -> Set<String> {
    var names = Set(groups.keys)
    for group in groups.values {
      for member in group.members {
        for suffix in member.suffixes.each {
          names.insert(output.escaping.escape(metric: member.part.base + suffix.text))
        }
      }
    }
    return names
  }

  /// The families that have samples, by their names in the answer.
  func ordered() -> [FamilyGroup] {
    var result = groups.values.filter { !$0.members.isEmpty }
    if output.format == .openMetrics {
      result = result.map { group in
        var group = group
        makeExpressible(&group)
        return group
      }
    }
    let escaping = output.escaping
    return
      result
      .map { (escaping.escape(metric: $0.head.name(in: output.format)), $0) }
      .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
      .map(\.1)
  }

  /// OpenMetrics names a counter without `_total`, and an info without `_info`: where another family
  /// has that name, or the name has no such end, the type cannot be said.
  private func makeExpressible(_ group: inout FamilyGroup) {
    let kind = group.head.kind
    guard kind == .counter || kind == .info else { return }
    let name = group.head.openMetricsName
    if groups[output.escaping.escape(metric: name)] == nil { return }
    group.head.kind = kind == .counter ? .unknown : .gauge
    for index in group.members.indices { group.members[index].suffixes.remove(.created) }
  }
}
