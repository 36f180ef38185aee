/// Puts lines of text together to the points that they are parts of.
///
/// What no point has a place for goes astray: see ``StrayPoints``.
struct PointGroups {
  private struct Key: Hashable {
    let labels: [SeriesLabel]
    let timestamp: String?
  }

  /// Of which everything is known when ``finish()`` has been called.
  private(set) var strays = StrayPoints()

  /// Of a family whose points have several lines, wherever they are.
  private var points: [MetricPoint] = []
  private var byKey: [Key: Int] = [:]
  private var last: (key: Key, index: Int)?
  private var created: [[SeriesLabel]: UnixTime] = [:]

  /// Of a family whose points are single lines, and perhaps one with the time of their creation
  /// beside it.
  private var pending: (point: MetricPoint, hasValue: Bool)?

  private let kind: FamilyKind

  init(_ kind: FamilyKind) { self.kind = kind }

  /// - Parameter isOpenMetrics: whether timestamps are seconds, and tell points of a series apart.
  /// - Returns: a point that is whole.
  mutating func add(
    _ line: SampleLine, _ suffix: SampleSuffix, isOpenMetrics: Bool
  ) -> MetricPoint? {
    if kind.isSimple { return addSimple(line, suffix, isOpenMetrics) }
    if suffix == .created {
      created[line.labels.sorted()] = UnixTime(line.value)
    } else {
      group(line, suffix, isOpenMetrics)
    }
    return nil
  }

  /// The point of single lines that was begun last: samples of another source follow.
  mutating func takePending() -> MetricPoint? {
    defer { pending = nil }
    return pending.flatMap { release($0) }
  }

  /// - Returns: the points that were not given yet; last of all come the ``strays``.
  mutating func finish() -> [MetricPoint] {
    var whole = takePending().map { [$0] } ?? []
    let times = created
    for var point in points {
      if !times.isEmpty, let time = times[point.labels.sorted()] {
        point.setCreated(time)
        created[point.labels.sorted()] = nil
      }
      if point.isWhole { whole.append(point) } else { strays.scatter(point, of: kind) }
    }
    for (labels, time) in created {
      strays.add(.created, MetricPoint(labels: labels, content: .created(time)))
    }
    (points, byKey, last, created) = ([], [:], nil, [:])
    return whole
  }

  private mutating func addSimple(
    _ line: SampleLine, _ suffix: SampleSuffix, _ isOpenMetrics: Bool
  ) -> MetricPoint? {
    let isCreated = suffix == .created
    let time = isCreated ? UnixTime(line.value) : nil
    if var pending, isCreated || !pending.hasValue,
      pending.point.labels.sorted() == line.labels.sorted()
    {
      if isCreated {
        pending.point.setCreated(time)
      } else {
        let time = pending.point.created
        pending = (value(line, isOpenMetrics), true)
        pending.point.setCreated(time)
      }
      self.pending = pending
      return nil
    }
    let done = pending.flatMap { release($0) }
    if isCreated {
      let point = MetricPoint(
        labels: line.labels, content: .value(0, exemplar: nil, created: time))
      pending = (point, false)
    } else {
      pending = (value(line, isOpenMetrics), true)
    }
    return done
  }

  private mutating func release(
    _ pending: (point: MetricPoint, hasValue: Bool)
  ) -> MetricPoint? {
    if pending.hasValue { return pending.point }
    if let time = pending.point.created {
      strays.add(.created, MetricPoint(labels: pending.point.labels, content: .created(time)))
    }
    return nil
  }

  private func value(_ line: SampleLine, _ isOpenMetrics: Bool) -> MetricPoint {
    MetricPoint(
      labels: line.labels, timestamp: line.milliseconds(isOpenMetrics),
      content: .value(
        Double(line.value) ?? .nan, exemplar: line.exemplar.map(MetricPoint.Exemplar.init),
        created: nil))
  }

  private mutating func group(
    _ line: SampleLine, _ suffix: SampleSuffix, _ isOpenMetrics: Bool
  ) {
    let number = Double(line.value) ?? .nan
    var labels = line.labels
    var bound: Double?
    if suffix == .bucket || suffix == .none {
      bound = kind.boundLabel.flatMap { Self.take($0, from: &labels) }
      guard bound != nil else { return strays.add(suffix, value(line, isOpenMetrics)) }
    }
    let index = point(labels, line, isOpenMetrics)
    switch points[index].content {
    case .value: break
    case .summary(var summary):
      switch suffix {
      case .sum: summary.sum = number
      case .count:
        summary.count = UInt64(exactly: number)
        if summary.count == nil { strays.add(suffix, value(line, isOpenMetrics)) }
      default:
        if let bound { summary.quantiles.append(.init(quantile: bound, value: number)) }
      }
      points[index].content = .summary(summary)
    case .histogram(var histogram):
      // Else the list would be copied for each of its buckets.
      points[index].content = .value(0, exemplar: nil, created: nil)
      switch suffix {
      case .sum, .gaugeSum: histogram.sum = number
      case .count, .gaugeCount: histogram.count = number
      default:
        if let bound {
          histogram.buckets.append(
            .init(
              upperBound: bound, count: number,
              exemplar: line.exemplar.map(MetricPoint.Exemplar.init)))
        }
      }
      points[index].content = .histogram(histogram)
    }
  }

  /// The point of these labels, perhaps a new one; mostly that of the line before.
  private mutating func point(
    _ labels: [SeriesLabel], _ line: SampleLine, _ isOpenMetrics: Bool
  ) -> Int {
    let key = Key(labels: labels, timestamp: isOpenMetrics ? line.timestamp : nil)
    if let last, last.key == key { return last.index }
    let sorted = Key(labels: labels.sorted(), timestamp: key.timestamp)
    if let index = byKey[sorted] {
      last = (key, index)
      return index
    }
    points.append(
      MetricPoint(
        labels: labels, timestamp: line.milliseconds(isOpenMetrics),
        content: kind == .summary
          ? .summary(MetricPoint.Summary()) : .histogram(MetricPoint.Histogram())))
    byKey[sorted] = points.count - 1
    last = (key, points.count - 1)
    return points.count - 1
  }

  private static func take(_ name: String, from labels: inout [SeriesLabel]) -> Double? {
    guard let index = labels.firstIndex(where: { $0.name == name }),
      let bound = Double(labels[index].value), !bound.isNaN
    else { return nil }
    labels.remove(at: index)
    return bound
  }
}
