/// All values of one series at one time, as a protobuf message `Metric` has them.
struct MetricPoint: Sendable {
  struct Exemplar: Sendable {
    var labels: [SeriesLabel] = []
    var value = 0.0
    var timestamp: UnixTime?
  }

  struct Quantile: Sendable {
    var quantile = 0.0
    var value = 0.0
  }

  struct Summary: Sendable {
    var count: UInt64?
    var sum: Double?
    var quantiles: [Quantile] = []
    var created: UnixTime?
  }

  struct Bucket: Sendable {
    var upperBound = 0.0
    /// Of this bucket and all below it.
    var count = 0.0
    var exemplar: Exemplar?
  }

  struct Histogram: Sendable {
    var count: Double?
    var sum: Double?
    var buckets: [Bucket] = []
    var created: UnixTime?
    /// Those of a native histogram, which no bucket has.
    var nativeExemplars: [Exemplar] = []
  }

  enum Content: Sendable {
    case value(Double, exemplar: Exemplar?, created: UnixTime?)
    case summary(Summary)
    case histogram(Histogram)
  }

  var labels: [SeriesLabel] = []
  /// Milliseconds since 1970.
  var timestamp: Int64?
  var content: Content

  var created: UnixTime? {
    switch content {
    case .value(_, _, let created): created
    case .summary(let summary): summary.created
    case .histogram(let histogram): histogram.created
    }
  }

  var exemplars: [Exemplar] {
    switch content {
    case .value(_, let exemplar, _): exemplar.map { [$0] } ?? []
    case .summary: []
    case .histogram(let histogram):
      histogram.buckets.compactMap(\.exemplar) + histogram.nativeExemplars
    }
  }
}
