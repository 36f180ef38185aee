import Testing

@testable import RedisClient

@Suite struct RedisOutagesTests {
  private let start = ContinuousClock.now

  private func outages(_ spans: (from: Int, to: Int)...) -> RedisOutages {
    var outages = RedisOutages()
    for span in spans {
      outages.begin(at: start + .seconds(span.from))
      // Attempts in between that fail change nothing.
      outages.begin(at: start + .seconds(span.to))
      #expect(outages.isAway)
      outages.end(at: start + .seconds(span.to))
      #expect(!outages.isAway)
    }
    return outages
  }

  @Test func withoutOneThereIsNone() {
    var outages = RedisOutages()
    outages.end(at: start)
    #expect(outages.last == nil && !outages.isAway)
  }

  @Test func itLastsFromTheFirstFailureToTheFirstSuccess() {
    #expect(outages((3, 13)).last == .init(duration: .seconds(10), end: start + .seconds(13)))
  }

  @Test func withAShortBreakInBetweenItGoesOn() {
    #expect(outages((0, 200), (201, 202)).last?.duration == .seconds(201))
    #expect(outages((0, 1), (15, 17), (20, 30)).last?.duration == .seconds(13))
  }

  @Test func whileItLastsItEndsNow() {
    var outages = outages((0, 2))
    outages.begin(at: start + .seconds(40))
    let latest = outages.latest(at: start + .seconds(70))
    #expect(latest == .init(duration: .seconds(30), end: start + .seconds(70)))
    outages.end(at: start + .seconds(71))
    #expect(outages.latest(at: start + .seconds(99))?.duration == .seconds(31))
  }

  @Test func afterALongBreakItIsAnother() {
    #expect(outages((0, 200), (215, 216)).last?.duration == .seconds(1))
  }
}
