import PrometheusText

/// The families of an answer while they are put together, by the names that they will have.
struct FamilyGroups {
  private let output: NegotiatedFormat
  private var groups: [ExactText: FamilyGroup] = [:]

  init(_ output: NegotiatedFormat) { self.output = output }

  /// Takes samples in under the name of their family.
  ///
  /// - Parameter drop: called with those whose name is escaped to one that another name has already.
  mutating func add(
    _ part: ExpositionPart, of input: Int, format: ExpositionFormat,
    drop: (FamilyMember) -> Void
  ) {
    var member = FamilyMember(
      part: part, input: input, suffixes: part.suffixes, kind: expressible(part.kind))
    if output.format == .text {
      // Text 0.0.4 has no families for these; what protobuf says beside a value has no place there.
      if part.kind == .gaugeHistogram {
        for suffix in part.suffixes.each { add(member, only: suffix, drop: drop) }
        return
      }
      if part.suffixes.contains(.created) {
        if format == .openMetrics { add(member, only: .created, drop: drop) }
        member.suffixes.remove(.created)
      }
    }
    if !member.suffixes.isEmpty { add(member, name: part.name, drop: drop) }
  }

  /// Takes the samples with one suffix in, as a gauge of its own.
  private mutating func add(
    _ member: FamilyMember, only suffix: SampleSuffix, drop: (FamilyMember) -> Void
  ) {
    var member = member
    member.suffixes = SampleSuffixes(suffix)
    member.kind = .gauge
    add(member, name: member.part.base + suffix.text, drop: drop)
  }

  private mutating func add(
    _ member: FamilyMember, name: String, drop: (FamilyMember) -> Void
  ) {
    let key = key(name)
    if let group = groups[key], ExactText(group.head.name) != ExactText(name) {
      return drop(member)
    }
    // In place: a source may have its samples in very many pieces.
    groups[key, default: FamilyGroup(head: FamilyHead(name: name, kind: .unknown))].take(member)
  }

  /// As the name will be written.
  private func key(_ name: String) -> ExactText { ExactText(output.escaping.escape(metric: name)) }

  /// What the kind is in the format of the answer, as far as that has it.
  private func expressible(_ kind: FamilyKind) -> FamilyKind {
    kind.isSortOfGauge && output.format != .openMetrics ? .gauge : kind
  }

  /// Finds another place for samples that are of another type than their family.
  ///
  /// - Parameter note: told of them, and whether they are kept.
  mutating func settle(note: (FamilyMember, _ isKept: Bool) -> Void) {
    var homeless: [FamilyMember] = []
    for (key, group) in groups {
      let misfits = group.members.filter { !group.fits($0) }
      if misfits.isEmpty { continue }
      homeless += misfits
      groups[key]?.members.removeAll { !group.fits($0) }
    }
    if output.format == .openMetrics { homeless += withoutStems() }
    if homeless.isEmpty { return }
    let taken = names()
    // The order of sources, not that of names, decides between those that want the same name.
    homeless.sort {
      ($0.input, $0.part.records.lowerBound) < ($1.input, $1.part.records.lowerBound)
    }
    for member in homeless {
      for suffix in member.suffixes.each {
        var single = member
        single.suffixes = SampleSuffixes(suffix)
        note(single, rehouse(single, member.part.base + suffix.text, taken))
      }
    }
  }

  private mutating func rehouse(
    _ member: FamilyMember, _ name: String, _ taken: Set<ExactText>
  ) -> Bool {
    let key = key(name)
    if taken.contains(key) { return false }
    var refuge =
      groups[key] ?? FamilyGroup(head: FamilyHead(name: name, kind: .unknown), isRefuge: true)
    guard refuge.isRefuge, ExactText(refuge.head.name) == ExactText(name) else { return false }
    refuge.members.append(member)
    groups[key] = refuge
    return true
  }

  /// OpenMetrics names a counter without `_total`, and an info without `_info`: where another family
  /// has that name, the type cannot be said. The first source that wants a name has it.
  ///
  /// - Returns: the samples that only a counter has.
  private mutating func withoutStems() -> [FamilyMember] {
    var claimed: Set<ExactText> = []
    var homeless: [FamilyMember] = []
    let wanting = groups.filter { !$0.value.members.isEmpty && stem($0.value) != nil }
    let order = { (entry: (key: ExactText, value: FamilyGroup)) in
      (entry.value.members.map(\.input).min() ?? 0, entry.key)
    }
    for (key, group) in wanting.sorted(by: { order($0) < order($1) }) {
      guard let stem = stem(group) else { continue }
      if groups[stem]?.members.isEmpty ?? true, claimed.insert(stem).inserted { continue }
      var group = group
      group.head.kind = group.head.kind.withoutStem
      for index in group.members.indices where group.members[index].suffixes.contains(.created) {
        var created = group.members[index]
        created.suffixes = .created
        homeless.append(created)
        group.members[index].suffixes.remove(.created)
      }
      group.members.removeAll { $0.suffixes.isEmpty }
      groups[key] = group
    }
    return homeless
  }

  /// The name of a family whose kind takes the end off it.
  private func stem(_ group: FamilyGroup) -> ExactText? {
    group.head.kind.stem(of: key(group.head.name).text).map { ExactText($0) }
  }

  /// The names of families and of all their samples, as they will be written.
  private func names() -> Set<ExactText> {
    var names = Set(groups.keys)
    for group in groups.values where !group.members.isEmpty {
      names.insert(ExactText(group.head.name(in: output)))
      for member in group.members {
        for suffix in member.suffixes.each { names.insert(key(member.part.base + suffix.text)) }
      }
    }
    return names
  }

  /// The families that have samples, by their names in the answer.
  func ordered() -> [FamilyGroup] {
    groups.values.filter { !$0.members.isEmpty }
      .map { (ExactText($0.head.name(in: output)), $0) }
      .sorted { $0.0 < $1.0 }
      .map(\.1)
  }
}
