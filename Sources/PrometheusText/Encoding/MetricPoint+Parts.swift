extension MetricPoint {
  /// Whether a message can say it, and says no more.
  var isWhole: Bool {
    switch content {
    case .value: true
    case .summary(let summary): summary.sum != nil && summary.count != nil
    case .histogram(let histogram):
      histogram.sum != nil && histogram.hasInfinity
        && histogram.count.flatMap { UInt64(exactly: $0) } != nil
        && histogram.buckets.allSatisfy { UInt64(exactly: $0.count) != nil }
    }
  }

  mutating func setCreated(_ time: UnixTime?) {
    switch content {
    case .value(let value, let exemplar, _):
      content = .value(value, exemplar: exemplar, created: time)
    case .summary(var summary):
      summary.created = time
      content = .summary(summary)
    case .histogram(var histogram):
      histogram.created = time
      content = .histogram(histogram)
    }
  }
}

extension MetricPoint.Content {
  /// The time of creation as a value of its own.
  static func created(_ time: UnixTime) -> MetricPoint.Content {
    .value(Double(time.text) ?? 0, exemplar: nil, created: nil)
  }
}

extension SampleLine {
  func milliseconds(_ isOpenMetrics: Bool) -> Int64? {
    timestamp.flatMap { isOpenMetrics ? UnixTime($0)?.milliseconds : Int64($0) }
  }
}

extension MetricPoint.Exemplar {
  init(_ exemplar: SampleLine.Exemplar) {
    labels = exemplar.labels
    value = Double(exemplar.value) ?? .nan
    timestamp = exemplar.timestamp.flatMap { UnixTime($0) }
  }
}
