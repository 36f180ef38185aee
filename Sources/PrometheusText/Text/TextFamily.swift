/// A family as a text declares it, or as its first sample implies it.
struct TextFamily {
  /// The name behind `# TYPE`.
  let declared: String
  let kind: FamilyKind
  /// What all names of samples begin with.
  let base: String
  /// What may follow it.
  let suffixes: SampleSuffixes
  /// The name of text 0.0.4.
  let name: String

  init(_ declared: String, _ kind: FamilyKind, in format: ExpositionFormat) {
    self.declared = declared
    self.kind = kind
    let isOpenMetrics = format == .openMetrics
    switch kind {
    case .counter where isOpenMetrics:
      (base, name, suffixes) = (declared, declared + "_total", [.total, .created])
    case .counter:
      let stem = kind.stem(of: declared)
      (base, name, suffixes) = (stem ?? declared, declared, stem == nil ? [.none] : [.total])
    case .info: (base, name, suffixes) = (declared, declared + "_info", [.info])
    case .unknown, .gauge, .stateSet: (base, name, suffixes) = (declared, declared, [.none])
    case .summary, .histogram, .gaugeHistogram:
      (base, name) = (declared, declared)
      suffixes = isOpenMetrics ? kind.suffixes : kind.suffixes.subtracting(.created)
    }
  }

  /// The suffix of a sample's name, if the sample is of this family.
  func suffix(of sample: String) -> SampleSuffix? {
    guard sample.begins(with: base) else { return nil }
    let rest = sample.utf8.dropFirst(base.utf8.count)
    return suffixes.each.first { rest.elementsEqual($0.text.utf8) }
  }
}

/// What the comments of a text say about families.
struct TextDeclarations {
  struct Declaration {
    var kind: FamilyKind?
    var help: String?
    var unit: String?
  }

  let format: ExpositionFormat
  private var byName: [ExactText: Declaration] = [:]

  init(format: ExpositionFormat) { self.format = format }

  var count: Int { byName.count }

  subscript(_ name: String) -> Declaration? { byName[ExactText(name)] }

  /// The first text of each sort counts, and the last type.
  mutating func set(help: String, of name: String) {
    byName[ExactText(name), default: Declaration()].help = self[name]?.help ?? help
  }

  mutating func set(unit: String, of name: String) {
    byName[ExactText(name), default: Declaration()].unit = self[name]?.unit ?? unit
  }

  mutating func set(kind: FamilyKind, of name: String) {
    byName[ExactText(name), default: Declaration()].kind = kind
  }

  func family(declared name: String) -> TextFamily {
    TextFamily(name, self[name]?.kind ?? .unknown, in: format)
  }

  /// The family that a sample is of, and what its name adds to it.
  func family(of sample: String) -> (TextFamily, SampleSuffix) {
    for suffix in SampleSuffix.allCases {
      let text = suffix.text
      let length = sample.utf8.count - text.utf8.count
      guard length > 0, sample.utf8.dropFirst(length).elementsEqual(text.utf8) else { continue }
      let declared = String(decoding: sample.utf8.prefix(length), as: UTF8.self)
      guard self[declared]?.kind != nil else { continue }
      let family = family(declared: declared)
      if let suffix = family.suffix(of: sample) { return (family, suffix) }
    }
    return (TextFamily(sample, .unknown, in: format), .none)
  }
}
