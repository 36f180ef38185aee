/// A time since 1970 to the nanosecond.
struct UnixTime: Hashable, Sendable {
  /// Times are nearer to 1970 than this, those of all milliseconds that there are among them.
  static let endOfSeconds: Int64 = 9_300_000_000_000_000

  var seconds: Int64
  var nanoseconds: Int32

  init(seconds: Int64 = 0, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// Reads seconds with a fraction; nil if they are no such number.
  init?(_ text: String) {
    guard let value = Double(text), abs(value) < Double(Self.endOfSeconds) else { return nil }
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

  /// Rounded to the nearest that there is.
  var milliseconds: Int64 {
    let (whole, isTooFar) = seconds.multipliedReportingOverflow(by: 1000)
    let (sum, isJustTooFar) = whole.addingReportingOverflow(
      Int64((nanoseconds + 500_000) / 1_000_000))
    return isTooFar || isJustTooFar ? (seconds < 0 ? .min : .max) : sum
  }

  /// Seconds, with as many decimals as needed.
  var text: String {
    guard nanoseconds != 0 else { return String(seconds) }
    if seconds < 0 { return (Double(seconds) + Double(nanoseconds) / 1e9).description }
    var digits = String(nanoseconds + 1_000_000_000).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(seconds).\(digits)"
  }
}
