/// What the samples of a family are, in the words of all formats together.
package enum FamilyKind: UInt8, Hashable, Sendable, CaseIterable {
  case unknown, counter, gauge, histogram, summary, gaugeHistogram, info, stateSet

  /// The word behind `# TYPE` in a text format; `nil` where it has none.
  init?(_ word: String, in format: ExpositionFormat) {
    let isOpenMetrics = format == .openMetrics
    switch word {
    case "counter": self = .counter
    case "gauge": self = .gauge
    case "histogram": self = .histogram
    case "summary": self = .summary
    case "untyped" where !isOpenMetrics: self = .unknown
    case "unknown" where isOpenMetrics: self = .unknown
    case "gaugehistogram" where isOpenMetrics: self = .gaugeHistogram
    case "info" where isOpenMetrics: self = .info
    case "stateset" where isOpenMetrics: self = .stateSet
    default: return nil
    }
  }

  /// The word for `# TYPE`; kinds that text 0.0.4 does not know are gauges there.
  func word(in format: ExpositionFormat) -> StaticString {
    switch self {
    case .counter: "counter"
    case .gauge: "gauge"
    case .histogram: "histogram"
    case .summary: "summary"
    case .unknown: format == .openMetrics ? "unknown" : "untyped"
    case .gaugeHistogram: format == .openMetrics ? "gaugehistogram" : "gauge"
    case .info: format == .openMetrics ? "info" : "gauge"
    case .stateSet: format == .openMetrics ? "stateset" : "gauge"
    }
  }

  /// What may follow the family's base name in the name of a sample.
  package var suffixes: SampleSuffixes {
    switch self {
    case .unknown, .gauge, .stateSet: [.none]
    case .counter: [.none, .total, .created]
    case .histogram: [.bucket, .sum, .count, .created]
    case .summary: [.none, .sum, .count, .created]
    case .gaugeHistogram: [.bucket, .gaugeSum, .gaugeCount]
    case .info: [.none, .info]
    }
  }

  /// A name without what the kind adds to it: a counter's without `_total`, an info's without
  /// `_info`; nil if the name has no such end, or is nothing else.
  package func stem(of name: String) -> String? {
    let end: SampleSuffix
    switch self {
    case .counter: end = .total
    case .info: end = .info
    default: return nil
    }
    let length = name.utf8.count - end.text.utf8.count
    guard length > 0, name.utf8.dropFirst(length).elementsEqual(end.text.utf8) else { return nil }
    return String(decoding: name.utf8.prefix(length), as: UTF8.self)
  }

  /// What is left to say of a family whose names do not have the end that its kind wants.
  package var withoutStem: FamilyKind {
    switch self {
    case .counter: .unknown
    case .info: .gauge
    default: self
    }
  }

  /// The label that tells the lines of a point apart in a text.
  package var boundLabel: String? {
    switch self {
    case .histogram, .gaugeHistogram: "le"
    case .summary: "quantile"
    default: nil
    }
  }

  /// Whether a sample of it is a value and no more.
  package var isSimple: Bool {
    switch self {
    case .unknown, .counter, .gauge, .info, .stateSet: true
    case .histogram, .summary, .gaugeHistogram: false
    }
  }

  /// Whether the formats that do not know it call it a gauge.
  package var isSortOfGauge: Bool { self == .gauge || self == .info || self == .stateSet }
}
