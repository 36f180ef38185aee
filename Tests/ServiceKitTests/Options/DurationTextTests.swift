import ServiceKit
import Testing

@Suite struct DurationTextTests {
  @Test(arguments: [
    ("0", Duration.zero), ("0s", .zero), ("1s", .seconds(1)), ("1m30s", .seconds(90)),
    ("500ms", .milliseconds(500)), ("2h", .seconds(7200)), ("1.5s", .milliseconds(1500)),
    (".5s", .milliseconds(500)), ("1.s", .seconds(1)), ("10us", .microseconds(10)),
    ("10µs", .microseconds(10)), ("7ns", .nanoseconds(7)), ("1h0m1s", .seconds(3601)),
    ("0.000000001s", .nanoseconds(1)), ("0.1234567891s", .nanoseconds(123_456_789)),
  ])
  func readsGoDurations(text: String, wanted: Duration) {
    #expect(Duration(text: text) == wanted)
  }

  @Test(arguments: [
    "", "1", "-1s", "+1s", "1x", "s", ".s", "1 s", " 1s", "1s ", "1d", "1e3s", "1..5s", "1.5.5s",
    "9999999h", "99999999999999999999s", "١s", "1S",
  ])
  func refusesEverythingElse(text: String) { #expect(Duration(text: text) == nil) }

  @Test(arguments: [
    "0s", "1s", "1m30s", "500ms", "2h", "1.5s", "1h1m1.000000001s", "1.5ms", "1.5us", "7ns", "1h1s",
  ])
  func writesWhatItReads(text: String) throws {
    #expect(try #require(Duration(text: text)).text == text)
  }

  @Test func writesNegativeDurations() { #expect(Duration.seconds(-90).text == "-1m30s") }

  @Test func countsSeconds() { #expect(Duration.milliseconds(1500).seconds == 1.5) }
}
