extension Duration {
  /// Reads a duration as people write it: `1m30s`, `500ms`, `1.5h`, and plain `0`.
  ///
  /// The units are those of Go's `time.ParseDuration`: `ns`, `us` (`µs`), `ms`, `s`, `m`, `h`.
  /// `nil`: not such a text, negative, or more than 292 years.
  package init?(text: String) {
    if text == "0" {
      self = .zero
      return
    }
    var rest = text[...]
    var total: Int64 = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      guard let part = Self.nanoseconds(takenFrom: &rest) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(part)
      guard !overflow else { return nil }
      total = sum
    }
    self = .nanoseconds(total)
  }

  /// The shortest text that ``init(text:)`` reads as this duration, to the nanosecond: `1m30s`.
  package var text: String {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return "-" + (Duration.zero - self).text }
    var result = ""
    if seconds >= 3600 { result += "\(seconds / 3600)h" }
    if seconds / 60 % 60 > 0 { result += "\(seconds / 60 % 60)m" }
    let nanoseconds = attoseconds / 1_000_000_000
    if seconds == 0, nanoseconds > 0 {
      switch nanoseconds {
      case 1_000_000...: result += Self.decimal(nanoseconds, per: 1_000_000) + "ms"
      case 1_000...: result += Self.decimal(nanoseconds, per: 1_000) + "us"
      default: result += "\(nanoseconds)ns"
      }
    } else if seconds % 60 > 0 || nanoseconds > 0 {
      result += Self.decimal(seconds % 60 * 1_000_000_000 + nanoseconds, per: 1_000_000_000) + "s"
    }
    return result.isEmpty ? "0s" : result
  }

  /// In seconds, for metrics and arithmetic that needs no more than 15 digits.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }

  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
    ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  private static func nanoseconds(takenFrom rest: inout Substring) -> Int64? {
    let whole = rest.prefix(while: isDigit)
    rest = rest[whole.endIndex...]
    var fraction: Substring = ""
    if rest.first == "." {
      fraction = rest.dropFirst().prefix(while: isDigit)
      rest = rest[fraction.endIndex...]
    }
    guard !(whole.isEmpty && fraction.isEmpty) else { return nil }
    let name = rest.prefix { !isDigit($0) && $0 != "." }
    rest = rest[name.endIndex...]
    guard let unit = units.first(where: { $0.name == name })?.nanoseconds else { return nil }
    guard let count = whole.isEmpty ? 0 : Int64(whole) else { return nil }
    var (result, overflow) = count.multipliedReportingOverflow(by: unit)
    var place = unit
    for digit in fraction {
      place /= 10
      guard place > 0, let value = digit.wholeNumberValue else { break }
      let (sum, carried) = result.addingReportingOverflow(Int64(value) * place)
      result = sum
      overflow = overflow || carried
    }
    return overflow ? nil : result
  }

  private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

  private static func decimal(_ value: Int64, per unit: Int64) -> String {
    var digits = (value % unit + unit).description.dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return digits.isEmpty ? "\(value / unit)" : "\(value / unit).\(digits)"
  }
}
