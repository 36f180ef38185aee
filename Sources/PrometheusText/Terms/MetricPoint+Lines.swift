extension MetricPoint {
  /// One line of text of a point.
  struct Line {
    var suffix: SampleSuffix
    /// `le` or `quantile`.
    var bound: (name: String, value: Double)?
    var value: Double
    var exemplar: Exemplar?
    /// The value if it is a time, with all its digits.
    var createdText: String?

    init(
      _ suffix: SampleSuffix, _ value: Double, bound: (name: String, value: Double)? = nil,
      exemplar: Exemplar? = nil
    ) {
      self.suffix = suffix
      self.value = value
      self.bound = bound
      self.exemplar = exemplar
    }

    init(created: UnixTime) {
      self.init(.created, Double(created.text) ?? 0)
      createdText = created.text
    }
  }

  /// How many lines a text has for this point.
  var lineCount: Int {
    switch content {
    case .value: 1
    case .summary(let summary): summary.quantiles.count + 2
    case .histogram(let histogram):
      histogram.buckets.count + (histogram.hasInfinity ? 2 : 3)
    }
  }

  /// The lines of a text for this point. A native histogram has only its count and sum there.
  ///
  /// - Parameter withCreated: also the times at which series were created.
  func lines(of part: ExpositionPart, withCreated: Bool) -> [Line] {
    switch content {
    case .value(let value, let exemplar, let created):
      let isTotal = part.base.utf8.count < part.name.utf8.count
      var lines = [Line(isTotal ? .total : .none, value, exemplar: exemplar)]
      if withCreated, isTotal, let created { lines.append(Line(created: created)) }
      return lines
    case .summary(let summary):
      var lines = summary.quantiles.map {
        Line(.none, $0.value, bound: ("quantile", $0.quantile))
      }
      lines.append(Line(.sum, summary.sum ?? 0))
      lines.append(Line(.count, Double(summary.count ?? 0)))
      if withCreated, let created = summary.created { lines.append(Line(created: created)) }
      return lines
    case .histogram(let histogram):
      let isGauge = part.kind == .gaugeHistogram
      let count = histogram.count ?? histogram.buckets.map(\.count).max() ?? 0
      var lines = histogram.buckets.map {
        Line(.bucket, $0.count, bound: ("le", $0.upperBound), exemplar: $0.exemplar)
      }
      if !histogram.hasInfinity {
        lines.append(Line(.bucket, count, bound: ("le", .infinity)))
      }
      lines.append(Line(isGauge ? .gaugeSum : .sum, histogram.sum ?? 0))
      lines.append(Line(isGauge ? .gaugeCount : .count, count))
      if withCreated, !isGauge, let created = histogram.created {
        lines.append(Line(created: created))
      }
      return lines
    }
  }
}

extension MetricPoint.Histogram {
  /// Whether there is a bucket for everything.
  var hasInfinity: Bool { buckets.contains { $0.upperBound == .infinity } }
}
