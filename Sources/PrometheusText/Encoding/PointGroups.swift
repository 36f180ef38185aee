/// Puts lines of text together to the points that they are parts of.
struct PointGroups {
  private struct Key: Hashable {
    let labels: [SeriesLabel]
    let timestamp: String?
  }

  private(set) var points: [MetricPoint] = []
  private var byKey: [Key: Int] = [:]
  private var last: (key: Key, index: Int)?
  /// The last point of each series.
  private var latest: [[SeriesLabel]: Int] = [:]
  private let kind: FamilyKind

  init(_ kind: FamilyKind) { self.kind = kind }

  /// - Parameter isOpenMetrics: whether timestamps are seconds, and tell points of a series apart.
  mutating func add(_ line: SampleLine, _ suffix: SampleSuffix, isOpenMetrics: Bool) {
    let value = Double(line.value) ?? .nan
    var labels = line.labels
    var bound: Double?
    switch kind {
    case .histogram, .gaugeHistogram: bound = Self.take("le", from: &labels)
    case .summary: bound = Self.take("quantile", from: &labels)
    default: break
    }
    // The time of creation has no timestamp of its own.
    let created = suffix == .created ? latest[labels.sorted()] : nil
    let index = created ?? point(labels, line.timestamp, isOpenMetrics)
    let exemplar = line.exemplar.map(MetricPoint.Exemplar.init)
    switch points[index].content {
    case .value(let old, let oldExemplar, let created):
      points[index].content =
        suffix == .created
        ? .value(old, exemplar: oldExemplar, created: UnixTime(line.value))
        : .value(value, exemplar: exemplar, created: created)
    case .summary(var summary):
      switch suffix {
      case .sum: summary.sum = value
      case .count: summary.count = UInt64(exactly: value)
      case .created: summary.created = UnixTime(line.value)
      default:
        if let bound { summary.quantiles.append(.init(quantile: bound, value: value)) }
      }
      points[index].content = .summary(summary)
    case .histogram(var histogram):
      // Else the list would be copied for each of its buckets.
      points[index].content = .value(0, exemplar: nil, created: nil)
      switch suffix {
      case .sum, .gaugeSum: histogram.sum = value
      case .count, .gaugeCount: histogram.count = value
      case .created: histogram.created = UnixTime(line.value)
      default:
        if let bound {
          histogram.buckets.append(.init(upperBound: bound, count: value, exemplar: exemplar))
        }
      }
      points[index].content = .histogram(histogram)
    }
  }

  /// The point of these labels, perhaps a new one; mostly that of the line before.
  private mutating func point(
    _ labels: [SeriesLabel], _ timestamp: String?, _ isOpenMetrics: Bool
  ) -> Int {
    let key = Key(labels: labels, timestamp: isOpenMetrics ? timestamp : nil)
    if let last, last.key == key { return last.index }
    let sorted = Key(labels: labels.sorted(), timestamp: key.timestamp)
    if let index = byKey[sorted] {
      last = (key, index)
      return index
    }
    let content: MetricPoint.Content =
      switch kind {
      case .summary: .summary(MetricPoint.Summary())
      case .histogram, .gaugeHistogram: .histogram(MetricPoint.Histogram())
      default: .value(0, exemplar: nil, created: nil)
      }
    let milliseconds = timestamp.flatMap {
      isOpenMetrics ? UnixTime($0)?.milliseconds : Int64($0)
    }
    points.append(MetricPoint(labels: labels, timestamp: milliseconds, content: content))
    byKey[sorted] = points.count - 1
    latest[sorted.labels] = points.count - 1
    last = (key, points.count - 1)
    return points.count - 1
  }

  private static func take(_ name: String, from labels: inout [SeriesLabel]) -> Double? {
    guard let index = labels.firstIndex(where: { $0.name == name }) else { return nil }
    return Double(labels.remove(at: index).value)
  }
}

extension MetricPoint.Exemplar {
  fileprivate init(_ exemplar: SampleLine.Exemplar) {
    labels = exemplar.labels
    value = Double(exemplar.value) ?? .nan
    timestamp = exemplar.timestamp.flatMap { UnixTime($0) }
  }
}
