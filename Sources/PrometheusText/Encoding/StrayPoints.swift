/// Values that are written each on its own, since no message has a place for them: a bucket without
/// a bound, a summary without a count. What is missing in a message would be read as 0.
struct StrayPoints {
  private var points: [SampleSuffix: [MetricPoint]] = [:]

  /// By what the names have more than the family's.
  subscript(_ suffix: SampleSuffix) -> [MetricPoint]? { points[suffix] }

  mutating func add(_ suffix: SampleSuffix, _ point: MetricPoint) {
    points[suffix, default: []].append(point)
  }

  /// Takes a point apart, of which only what is there is written.
  mutating func scatter(_ point: MetricPoint, of kind: FamilyKind) {
    func single(_ value: Double, _ bound: (String, Double)? = nil) -> MetricPoint {
      var single = point
      if let (name, bound) = bound {
        single.labels.append(SeriesLabel(name, ExpositionEncoder.text(of: bound)))
      }
      single.content = .value(value, exemplar: nil, created: nil)
      return single
    }
    let isGauge = kind == .gaugeHistogram
    switch point.content {
    case .value: break
    case .summary(let summary):
      for quantile in summary.quantiles {
        add(.none, single(quantile.value, ("quantile", quantile.quantile)))
      }
      if let sum = summary.sum { add(.sum, single(sum)) }
      if let count = summary.count { add(.count, single(Double(count))) }
    case .histogram(let histogram):
      for bucket in histogram.buckets {
        add(.bucket, single(bucket.count, ("le", bucket.upperBound)))
      }
      if let sum = histogram.sum { add(isGauge ? .gaugeSum : .sum, single(sum)) }
      if let count = histogram.count { add(isGauge ? .gaugeCount : .count, single(count)) }
    }
    if let time = point.created {
      add(.created, MetricPoint(labels: point.labels, content: .created(time)))
    }
  }
}
