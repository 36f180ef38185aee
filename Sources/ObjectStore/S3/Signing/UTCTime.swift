/// A second of the calendar, in UTC, in the ways in which services write it.
struct UTCTime: Sendable, Hashable {
  var year: Int
  var month: Int
  var day: Int
  var hour: Int
  var minute: Int
  var second: Int

  /// - Parameter seconds: since 1970.
  init(secondsSince1970 seconds: Int64) {
    var days = Int(seconds / 86_400)
    var rest = Int(seconds % 86_400)
    if rest < 0 {
      rest += 86_400
      days -= 1
    }
    (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
    // Days to a date of the Gregorian calendar whose years begin in March
    // (https://howardhinnant.github.io/date_algorithms.html, `civil_from_days`).
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var secondsSince1970: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    return Int64(days * 86_400 + hour * 3600 + minute * 60 + second)
  }

  /// `20150830`.
  var basicDate: String { year.padded(4) + month.padded(2) + day.padded(2) }

  /// `20150830T123600Z`, as `x-amz-date` has it.
  var basic: String { "\(basicDate)T\(hour.padded(2))\(minute.padded(2))\(second.padded(2))Z" }

  /// Reads `2015-08-30T12:36:00Z`, as XML and JSON have it (RFC 3339). A fraction of a second is
  /// left out; other time zones are not read.
  init?(rfc3339 text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
    let separators: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
    guard separators.allSatisfy({ bytes[$0.0] == $0.1.asciiValue }) else { return nil }
    let fraction = bytes[19..<(bytes.count - 1)]
    guard fraction.first.map({ $0 == UInt8(ascii: ".") && fraction.count > 1 }) ?? true,
      fraction.dropFirst().allSatisfy(\.isDigit)
    else { return nil }
    self.init(
      bytes.number(0..<4), bytes.number(5..<7), bytes.number(8..<10), bytes.number(11..<13),
      bytes.number(14..<16), bytes.number(17..<19))
  }

  /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, as `Last-Modified` has it (RFC 9110, section 5.6.7).
  init?(httpDate text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 29, text.hasSuffix(" GMT"),
      let month = Self.months.firstIndex(of: String(decoding: bytes[8..<11], as: UTF8.self))
    else { return nil }
    self.init(
      bytes.number(12..<16), month + 1, bytes.number(5..<7), bytes.number(17..<19),
      bytes.number(20..<22), bytes.number(23..<25))
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private init?(
    _ year: Int?, _ month: Int?, _ day: Int?, _ hour: Int?, _ minute: Int?, _ second: Int?
  ) {
    guard let year, let month, (1...12).contains(month), let day, (1...31).contains(day),
      let hour, hour < 24, let minute, minute < 60, let second, second <= 60
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }
}

extension Int {
  fileprivate func padded(_ width: Int) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}

extension [UInt8] {
  fileprivate func number(_ range: Range<Int>) -> Int? {
    guard self[range].allSatisfy(\.isDigit) else { return nil }
    return self[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
  }
}
