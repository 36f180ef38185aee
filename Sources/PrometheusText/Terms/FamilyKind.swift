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
}

/// What a sample's name has more than the base name of its family.
package enum SampleSuffix: UInt8, Hashable, Sendable, CaseIterable {
  case none, total, bucket, sum, count, created, info, gaugeSum, gaugeCount

  package var text: String {
    switch self {
    case .none: ""
    case .total: "_total"
    case .bucket: "_bucket"
    case .sum: "_sum"
    case .count: "_count"
    case .created: "_created"
    case .info: "_info"
    case .gaugeSum: "_gsum"
    case .gaugeCount: "_gcount"
    }
  }
}

/// Some suffixes.
package struct SampleSuffixes: OptionSet, Hashable, Sendable {
  package let rawValue: UInt16

  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package init(_ suffix: SampleSuffix) { rawValue = 1 << UInt16(suffix.rawValue) }

  package static let none = SampleSuffixes(.none)
  package static let total = SampleSuffixes(.total)
  package static let bucket = SampleSuffixes(.bucket)
  package static let sum = SampleSuffixes(.sum)
  package static let count = SampleSuffixes(.count)
  package static let created = SampleSuffixes(.created)
  package static let info = SampleSuffixes(.info)
  package static let gaugeSum = SampleSuffixes(.gaugeSum)
  package static let gaugeCount = SampleSuffixes(.gaugeCount)
  package static let all = SampleSuffixes(rawValue: .max)

  func contains(_ suffix: SampleSuffix) -> Bool { contains(SampleSuffixes(suffix)) }

  /// The single suffixes, in a fixed order.
  package var each: [SampleSuffix] { SampleSuffix.allCases.filter(contains) }
}
