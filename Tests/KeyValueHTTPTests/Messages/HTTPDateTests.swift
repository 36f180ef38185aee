import HTTPServing
import Testing

@Suite struct HTTPDateTests {
  /// The example of RFC 9110, section 5.6.7, in its three formats.
  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ])
  func allThreeFormatsAreRead(_ text: String) {
    #expect(HTTPDate.seconds(parsing: text, now: 1_000_000_000) == 784_111_777)
  }

  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
      (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] as [(Int64, String)])
  func timesAreWrittenAsFixdates(_ seconds: Int64, _ text: String) {
    #expect(HTTPDate.text(seconds) == text)
    #expect(HTTPDate.seconds(parsing: text) == seconds)
  }

  @Test func everyDayOfCenturiesComesBack() {
    for day in stride(from: Int64(-40_000), to: 60_000, by: 17) {
      let seconds = day * 86_400 + 45_296
      #expect(HTTPDate.seconds(parsing: HTTPDate.text(seconds)) == seconds)
    }
  }

  /// RFC 9110: more than 50 years in the future means the most recent year with these digits.
  @Test func yearsOfTwoDigitsAreNear() {
    let year2026: Int64 = 1_795_000_000
    let in76 = HTTPDate.seconds(parsing: "Monday, 06-Jan-76 00:00:00 GMT", now: year2026)
    #expect(in76.map(HTTPDate.text)?.contains(" 2076 ") == true)
    let in77 = HTTPDate.seconds(parsing: "Monday, 06-Jan-77 00:00:00 GMT", now: year2026)
    #expect(in77.map(HTTPDate.text)?.contains(" 1977 ") == true)
  }

  @Test(arguments: [
    "", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 31 Feb 2024 00:00:00 GMT", "Sun, 29 Feb 2023 00:00:00 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:61:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "784111777",
    "Sun Nov 6 1994",
  ])
  func whatIsNoDateIsNone(_ text: String) { #expect(HTTPDate.seconds(parsing: text) == nil) }
}
