/// All series of one metric, with what is said about them.
package struct MetricFamily: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case counter, gauge, histogram, summary, untyped
  }

  package var name: MetricName
  package var kind: Kind

  /// One sentence for people; empty: none.
  package var help: String

  package var samples: [Sample]

  package init(_ name: MetricName, _ kind: Kind, help: String = "", samples: [Sample] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }

  /// Adds the samples of one histogram series: cumulative buckets, sum and count.
  ///
  /// - Parameters:
  ///   - bounds: the upper bounds, ascending, without infinity.
  ///   - counts: the observations of each bucket on its own, and last those above all bounds.
  package mutating func appendHistogram(
    labels: [MetricLabel], bounds: [Double], counts: [UInt64], sum: Double
  ) {
    var cumulative: UInt64 = 0
    for (index, count) in counts.enumerated() {
      cumulative += count
      let bound = index < bounds.count ? bounds[index] : Double.infinity
      let le = MetricLabel(sanitizing: "le", ExpositionEncoder.text(of: bound))
      samples.append(
        Sample(name.appending("_bucket"), labels: labels + [le], value: Double(cumulative)))
    }
    samples.append(Sample(name.appending("_sum"), labels: labels, value: sum))
    samples.append(Sample(name.appending("_count"), labels: labels, value: Double(cumulative)))
  }
}

/// One line of an exposition: a series and its value.
package struct Sample: Hashable, Sendable {
  /// The name on the line: the family's, or that with a suffix such as `_bucket`.
  package var name: MetricName
  package var labels: [MetricLabel]
  package var value: Double

  /// When the value was taken, in milliseconds since 1970; `nil`: when it is scraped.
  package var timestampMilliseconds: Int64?

  package init(
    _ name: MetricName, labels: [MetricLabel] = [], value: Double,
    timestampMilliseconds: Int64? = nil
  ) {
    self.name = name
    self.labels = labels
    self.value = value
    self.timestampMilliseconds = timestampMilliseconds
  }
}
