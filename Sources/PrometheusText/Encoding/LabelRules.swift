/// How the labels of a sample come out: the source's label first, the source's own of that name
/// renamed, names escaped, no name twice.
struct LabelRules {
  let escaping: EscapingScheme

  func labels(_ own: [SeriesLabel], source: SeriesLabel?) -> [SeriesLabel] {
    var names: Set<String> = []
    var result: [SeriesLabel] = []
    result.reserveCapacity(own.count + 1)
    if let source {
      names.insert(source.name)
      result.append(source)
    }
    let taken = Set(own.map(\.name))
    for label in own {
      var name = label.name
      if name == source?.name {
        repeat { name = "exported_" + name } while taken.contains(name)
      }
      name = escaping.escape(label: name)
      // Two names may be escaped to one.
      while !names.insert(name).inserted { name = "exported_" + name }
      result.append(SeriesLabel(name, label.value))
    }
    return result
  }

  /// The name of a sample, escaped as a scraper expects it of its family.
  func name(base: String, _ suffix: SampleSuffix) -> String {
    switch suffix {
    case .none, .total, .info: escaping.escape(metric: base + suffix.text)
    case .bucket, .sum, .count, .created, .gaugeSum, .gaugeCount:
      escaping.escape(metric: base) + suffix.text
    }
  }
}
