import Glibc

/// The times of HTTP fields, in seconds since 1970 (RFC 9110, section 5.6.7).
package enum HTTPDate {
  static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
  static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// The current time of the system.
  package static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec)
  }

  /// An IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
  ///
  /// - Parameter seconds: of the years 0 to 9999.
  package static func text(_ seconds: Int64) -> String {
    let (day, second) = seconds.dividedRoundingDown(by: 86_400)
    let date = civil(from: day)
    let weekday = Int((day + 3).dividedRoundingDown(by: 7).remainder)
    return String(unsafeUninitializedCapacity: 29) { text in
      put(days[weekday], at: 0, in: text)
      put(", ", at: 3, in: text)
      put(date.day, 2, at: 5, in: text)
      put(" ", at: 7, in: text)
      put(months[date.month - 1], at: 8, in: text)
      put(" ", at: 11, in: text)
      put(date.year, 4, at: 12, in: text)
      put(" ", at: 16, in: text)
      put(Int(second / 3600), 2, at: 17, in: text)
      put(":", at: 19, in: text)
      put(Int(second / 60 % 60), 2, at: 20, in: text)
      put(":", at: 22, in: text)
      put(Int(second % 60), 2, at: 23, in: text)
      put(" GMT", at: 25, in: text)
      return 29
    }
  }

  /// `days_from_civil` of https://howardhinnant.github.io/date_algorithms.html.
  static func days(year: Int, month: Int, day: Int) -> Int64 {
    let year = Int64(month <= 2 ? year - 1 : year)
    let (era, yearOfEra) = year.dividedRoundingDown(by: 400)
    let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// `civil_from_days` of the same page.
  private static func civil(from days: Int64) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = (days + 719_468).dividedRoundingDown(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = Int(dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100))
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func put(
    _ text: String, at start: Int, in bytes: UnsafeMutableBufferPointer<UInt8>
  ) {
    var index = start
    for byte in text.utf8 {
      bytes[index] = byte
      index += 1
    }
  }

  private static func put(
    _ value: Int, _ digits: Int, at start: Int, in text: UnsafeMutableBufferPointer<UInt8>
  ) {
    var rest = value
    for index in (start..<start + digits).reversed() {
      text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

extension Int64 {
  fileprivate func dividedRoundingDown(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
