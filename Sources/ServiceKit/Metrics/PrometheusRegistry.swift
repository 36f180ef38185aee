package import PrometheusText
import Synchronization

/// All metrics of a process, for Prometheus to scrape and for swift-metrics to fill.
///
/// Recording on a handle is one atomic addition (histograms: a mutex held for two); making a
/// handle looks its name and labels up, so code on a hot path makes it once and keeps it.
///
/// Names are sanitised; counters end in `_total` and timers in `_seconds`: what lacks it gets it.
/// A metric has at most as many series as the registry's limit; further label sets share one
/// series `{overflow="true"}`, and `metrics_label_sets_dropped_total{metric}` counts the requests
/// for them. A name that is used with two kinds keeps its first; what asks for the second gets a
/// handle that nobody sees, and is counted in `metrics_conflicts_total{metric}`.
package final class PrometheusRegistry: Sendable {
  /// Bounds in seconds that suit requests and store operations: 0.5 ms to 10 s.
  package static let defaultBuckets: [Double] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  private struct Description {
    var help: String
    var buckets: [Double]?
  }

  private struct State {
    var metrics: [MetricName: MetricSeries] = [:]
    var descriptions: [MetricName: Description] = [:]
  }

  private let state = Mutex(State())
  private let seriesLimit: Int

  private static let dropped = MetricName(sanitizing: "metrics_label_sets_dropped_total")
  private static let conflicts = MetricName(sanitizing: "metrics_conflicts_total")

  /// - Parameter seriesLimit: the most series that one metric may have.
  package init(seriesLimit: Int = 1000) {
    self.seriesLimit = seriesLimit
    describe(
      Self.dropped.text, help: "Requests for series beyond the limit of their metric, by metric.")
    describe(Self.conflicts.text, help: "Requests for a metric of another kind, by metric.")
  }

  /// Says what a metric means and, for histograms, how it is cut.
  ///
  /// Buckets count for series that are made afterwards: describe metrics at start.
  ///
  /// - Parameters:
  ///   - name: as it is exposed, with its suffix.
  ///   - buckets: upper bounds, in seconds for timers; `nil`: ``defaultBuckets``.
  package func describe(_ name: String, help: String, buckets: [Double]? = nil) {
    let bounds = buckets.map { Array(Set($0.filter(\.isFinite))).sorted() }
    state.withLock { state in
      state.descriptions[MetricName(sanitizing: name)] = Description(help: help, buckets: bounds)
    }
  }

  /// All families by name, values as of now, those of the process included.
  package func families() -> [MetricFamily] {
    let own = state.withLock { state in
      state.metrics.map { name, series in
        series.family(name, help: state.descriptions[name]?.help ?? "")
      }
    }
    return (own + ProcessMetrics.families()).sorted { $0.name < $1.name }
  }

  /// The text that a scrape gets; its type is ``ExpositionEncoder/contentType``.
  package func expose() -> [UInt8] { ExpositionEncoder.encode(families()) }

  /// The handle of a series, made by `make` if it is new.
  func instrument<Instrument: MetricInstrument>(
    _ label: String, suffix: StaticString? = nil, _ dimensions: [(String, String)],
    kind: MetricFamily.Kind, make: (_ bounds: [Double]) -> Instrument
  ) -> Instrument {
    let name = Self.name(label, suffix: suffix)
    let labels = Self.labels(dimensions, isHistogram: kind == .histogram)
    return state.withLock { state in
      let bounds = state.descriptions[name]?.buckets ?? Self.defaultBuckets
      if let known = state.metrics[name]?.kind, known != kind {
        Self.count(name, in: Self.conflicts, &state)
        return make(bounds)
      }
      let (found, isOverflow) = state.metrics[name, default: MetricSeries(kind: kind)].instrument(
        labels, limit: seriesLimit
      ) { make(bounds) }
      if isOverflow { Self.count(name, in: Self.dropped, &state) }
      if let instrument = found as? Instrument { return instrument }
      // A counter of whole numbers where one of fractions is, or the reverse.
      Self.count(name, in: Self.conflicts, &state)
      return make(bounds)
    }
  }

  func forget(_ instrument: any AnyObject) {
    state.withLock { state in
      for name in state.metrics.keys { state.metrics[name]?.remove(instrument) }
    }
  }

  private static func count(_ metric: MetricName, in name: MetricName, _ state: inout State) {
    let labels = [MetricLabel(sanitizing: "metric", metric.text)]
    let (counter, _) = state.metrics[name, default: MetricSeries(kind: .counter)].instrument(
      labels, limit: .max
    ) { CounterInstrument() }
    (counter as? CounterInstrument)?.increment(by: 1)
  }

  private static func name(_ label: String, suffix: StaticString?) -> MetricName {
    let name = MetricName(sanitizing: label)
    guard let suffix, !name.text.hasSuffix(suffix.description) else { return name }
    return name.appending(suffix)
  }

  /// The labels in the order of their names, each name once; `le` belongs to histograms.
  private static func labels(
    _ dimensions: [(String, String)], isHistogram: Bool
  ) -> [MetricLabel] {
    if dimensions.isEmpty { return [] }
    var labels: [MetricLabel] = []
    for (name, value) in dimensions {
      let label = MetricLabel(sanitizing: name, value)
      if isHistogram, label.name == "le" { continue }
      if !labels.contains(where: { $0.name == label.name }) { labels.append(label) }
    }
    return labels.sorted { $0.name < $1.name }
  }
}
