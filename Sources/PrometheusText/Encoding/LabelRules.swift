/// How the labels of a sample come out: the source's label first, the source's own of that name
/// renamed, names escaped, no name twice.
struct LabelRules {
  let escaping: EscapingScheme

  /// - Parameter own: no name twice.
  func labels(_ own: [SeriesLabel], source: SeriesLabel?) -> [SeriesLabel] {
    if own.allSatisfy({ stays($0.name, beside: source) }) {
      return source.map { [$0] + own } ?? own
    }
    var names: Set<ExactText> = []
    var result: [SeriesLabel] = []
    result.reserveCapacity(own.count + 1)
    if let source {
      names.insert(ExactText(source.name))
      result.append(source)
    }
    let taken = Set(own.map { ExactText($0.name) })
    // So that many names that become one cost no more than others.
    var clashes: [ExactText: Int] = [:]
    for label in own {
      var name = ExactText(label.name)
      if let source, name == ExactText(source.name) {
        repeat { name = ExactText("exported_" + name.text) } while taken.contains(name)
      }
      let escaped = ExactText(escaping.escape(label: name.text))
      name = escaped
      // Two names may be escaped to one.
      while !names.insert(name).inserted {
        clashes[escaped, default: 0] += 1
        name = Self.exported(escaped, clashes[escaped] ?? 1)
      }
      result.append(SeriesLabel(name.text, label.value))
    }
    return result
  }

  private func stays(_ name: String, beside source: SeriesLabel?) -> Bool {
    (escaping == .allowUTF8 || LegacyName.accepts(name.utf8, allowsColon: false))
      && source.map { ExactText($0.name) != ExactText(name) } ?? true
  }

  private static func exported(_ name: ExactText, _ clash: Int) -> ExactText {
    let prefix = clash < 3 ? String(repeating: "exported_", count: clash) : "exported_\(clash)_"
    return ExactText(prefix + name.text)
  }

  /// The name of a sample, escaped as a scraper expects it of its family.
  func name(of part: ExpositionPart, _ suffix: SampleSuffix) -> String {
    switch suffix {
    case .none, .total, .info: escaping.escape(metric: part.base + suffix.text)
    case .created:
      (part.kind.stem(of: escaping.escape(metric: part.name)) ?? escaping.escape(metric: part.base))
        + suffix.text
    case .bucket, .sum, .count, .gaugeSum, .gaugeCount:
      escaping.escape(metric: part.base) + suffix.text
    }
  }
}
