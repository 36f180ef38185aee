import Testing

@testable import PodHook

/// The API server says how long it waits; the answer has to leave a little earlier.
@Suite struct TimeLimitTests {
  @Test(
    arguments: [
      (nil, 9500), ("", 9500), ("timeout=10s", 9500), ("timeout=5s", 4500), ("timeout=1s", 900),
      ("timeout=500ms", 450), ("timeout=1m", 29_500), ("timeout=30s", 29_500),
      ("timeout=1h", 29_500), ("a=b&timeout=2s&c=d", 1800), ("timeout=2s&timeout=4s", 3600),
    ] as [(String?, Int)])
  func isWhatTheCallerStatesLessAMargin(query: String?, milliseconds: Int) {
    #expect(WebhookEndpoint.timeLimit(query: query) == .milliseconds(milliseconds))
  }

  @Test(arguments: [
    "timeout=", "timeout", "timeout=0", "timeout=0s", "timeout=-5s", "timeout=ten", "timeout=5",
    "Timeout=1s", "xtimeout=1s", "timeout=1s%20", "timeout=99999999999999999999s",
  ])
  func whatCannotBeReadIsTheDefault(query: String) {
    #expect(WebhookEndpoint.timeLimit(query: query) == .milliseconds(9500))
  }
}
