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
