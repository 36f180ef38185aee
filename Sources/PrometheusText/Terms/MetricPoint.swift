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
    /// The fields of a native histogram as they came: numbers, keys and values.
    var native: [UInt8] = []
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
}

/// A time since 1970 to the nanosecond.
struct UnixTime: Hashable, Sendable {
  var seconds: Int64
  var nanoseconds: Int32

  init(seconds: Int64 = 0, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// Reads seconds with a fraction; nil if they are no such number.
  init?(_ text: String) {
    guard let value = Double(text), abs(value) < 1e15 else { return nil }
    // Of decimal digits rather than of the number: it has less than nine behind the point.
    let halves = text.split(separator: ".", omittingEmptySubsequences: false)
    if halves.count == 2, let whole = Int64(halves[0]), value >= 0,
      let fraction = Int32((halves[1] + "000000000").prefix(9)), fraction >= 0
    {
      self.init(seconds: whole, nanoseconds: fraction)
    } else {
      let whole = value.rounded(.down)
      self.init(
        seconds: Int64(whole), nanoseconds: min(999_999_999, Int32((value - whole) * 1e9)))
    }
  }

  init(milliseconds: Int64) {
    let (quotient, remainder) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    let (seconds, rest) = remainder < 0 ? (quotient - 1, remainder + 1000) : (quotient, remainder)
    self.init(seconds: seconds, nanoseconds: Int32(rest) * 1_000_000)
  }

  /// Rounded to the nearest.
  var milliseconds: Int64 { seconds * 1000 + Int64((nanoseconds + 500_000) / 1_000_000) }

  /// Seconds, with as many decimals as needed.
  var text: String {
    guard nanoseconds != 0 else { return String(seconds) }
    if seconds < 0 { return (Double(seconds) + Double(nanoseconds) / 1e9).description }
    var digits = String(nanoseconds + 1_000_000_000).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(seconds).\(digits)"
  }
}
