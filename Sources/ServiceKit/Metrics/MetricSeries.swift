import PrometheusText

/// All series of one metric in the registry.
struct MetricSeries {
  let kind: MetricFamily.Kind

  /// In the order of their first use; an index outlives only until the next removal.
  private(set) var series: [(labels: [MetricLabel], instrument: any MetricInstrument)] = []
  private var indices: [[MetricLabel]: Int] = [:]
  private var overflow: (any MetricInstrument)?

  init(kind: MetricFamily.Kind) { self.kind = kind }

  /// The label of the one series that takes what exceeds the limit.
  private static let overflowLabel = MetricLabel(sanitizing: "overflow", "true")

  /// The instrument of a label set, new ones made by `make` until there are `limit` of them.
  ///
  /// - Returns: the instrument, and whether it is the one that all label sets over the limit share.
  mutating func instrument(
    _ labels: [MetricLabel], limit: Int, make: () -> any MetricInstrument
  ) -> (any MetricInstrument, isOverflow: Bool) {
    if let index = indices[labels] { return (series[index].instrument, false) }
    if series.count < limit {
      let instrument = make()
      indices[labels] = series.count
      series.append((labels, instrument))
      return (instrument, false)
    }
    if let overflow { return (overflow, true) }
    let instrument = make()
    overflow = instrument
    return (instrument, true)
  }

  /// Forgets the series of an instrument; the shared one stays.
  mutating func remove(_ instrument: any AnyObject) {
    guard let index = series.firstIndex(where: { $0.instrument === instrument }) else { return }
    series.remove(at: index)
    indices = [:]
    for (index, entry) in series.enumerated() { indices[entry.labels] = index }
  }

  func family(_ name: MetricName, help: String) -> MetricFamily {
    var family = MetricFamily(name, kind, help: help)
    for (labels, instrument) in series { add(instrument, labels, to: &family) }
    if let overflow { add(overflow, [Self.overflowLabel], to: &family) }
    return family
  }

  private func add(
    _ instrument: any MetricInstrument, _ labels: [MetricLabel], to family: inout MetricFamily
  ) {
    if let histogram = instrument as? HistogramInstrument {
      let state = histogram.snapshot
      family.appendHistogram(
        labels: labels, bounds: histogram.bounds, counts: state.counts, sum: state.sum)
    } else {
      family.samples.append(Sample(family.name, labels: labels, value: instrument.value))
    }
  }
}
