extension HTTPDate {
  /// Reads any of the three formats that a recipient has to know: IMF-fixdate, that of RFC 850 and
  /// that of C's `asctime`. Nil: the text is none of them.
  ///
  /// - Parameter now: in seconds since 1970: a year of two digits is at most 50 years after it.
  package static func seconds(parsing text: String, now: Int64 = now) -> Int64? {
    var scanner = Scanner(rest: Array(text.utf8)[...])
    guard let weekday = scanner.word(), !weekday.isEmpty else { return nil }
    if scanner.skip(",") {
      guard scanner.skip(" "), let day = scanner.number(2) else { return nil }
      if days.contains(weekday), scanner.skip(" ") {
        return imfFixdate(&scanner, day: day)
      }
      if longDays.contains(weekday), scanner.skip("-") {
        return rfc850(&scanner, day: day, now: now)
      }
      return nil
    }
    return days.contains(weekday) ? asctime(&scanner) : nil
  }

  private static let longDays = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]

  /// ` Nov 1994 08:49:37 GMT`, behind the day.
  private static func imfFixdate(_ scanner: inout Scanner, day: Int) -> Int64? {
    guard let month = scanner.month(), scanner.skip(" "), let year = scanner.number(4),
      scanner.skip(" "), let time = scanner.time(), scanner.skip(" GMT"), scanner.isAtEnd
    else { return nil }
    return seconds(year, month, day, time)
  }

  /// `-Nov-94 08:49:37 GMT`, behind the day.
  private static func rfc850(_ scanner: inout Scanner, day: Int, now: Int64) -> Int64? {
    guard let month = scanner.month(), scanner.skip("-"), let short = scanner.number(2),
      scanner.skip(" "), let time = scanner.time(), scanner.skip(" GMT"), scanner.isAtEnd
    else { return nil }
    // The century that brings it closest before 50 years from now.
    let latest = now + 50 * 31_556_952
    let newest = (1900...2200).last { year in
      year % 100 == short && (seconds(year, month, day, time) ?? .max) <= latest
    }
    return newest.flatMap { seconds($0, month, day, time) }
  }

  /// ` Nov  6 08:49:37 1994`, behind the weekday.
  private static func asctime(_ scanner: inout Scanner) -> Int64? {
    guard scanner.skip(" "), let month = scanner.month(), scanner.skip(" "),
      let day = scanner.skip(" ") ? scanner.number(1) : scanner.number(2), scanner.skip(" "),
      let time = scanner.time(), scanner.skip(" "), let year = scanner.number(4), scanner.isAtEnd
    else { return nil }
    return seconds(year, month, day, time)
  }

  private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: Int) -> Int64? {
    let start = days(year: year, month: month, day: 1)
    let length =
      days(year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1) - start
    guard day >= 1, day <= length else { return nil }
    return (start + Int64(day) - 1) * 86_400 + Int64(time)
  }

  private struct Scanner {
    var rest: ArraySlice<UInt8>

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ text: String) -> Bool {
      guard rest.starts(with: text.utf8) else { return false }
      rest = rest.dropFirst(text.utf8.count)
      return true
    }

    mutating func word() -> String? {
      let letters = rest.prefix { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7a }
      rest = rest.dropFirst(letters.count)
      return String(validating: letters, as: UTF8.self)
    }

    mutating func number(_ digits: Int) -> Int? {
      let text = rest.prefix(digits)
      guard text.count == digits, text.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return nil
      }
      rest = rest.dropFirst(digits)
      return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// 1 to 12.
    mutating func month() -> Int? {
      word().flatMap { months.firstIndex(of: $0) }.map { $0 + 1 }
    }

    /// Seconds since midnight; a leap second counts as the one after it.
    mutating func time() -> Int? {
      guard let hour = number(2), skip(":"), let minute = number(2), skip(":"),
        let second = number(2), hour < 24, minute < 60, second <= 60
      else { return nil }
      return hour * 3600 + minute * 60 + second
    }
  }
}
