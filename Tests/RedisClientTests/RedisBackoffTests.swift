import Testing

@testable import RedisClient

@Suite struct RedisBackoffTests {
  /// Always the same bits.
  private struct Constant: RandomNumberGenerator {
    let bits: UInt64
    mutating func next() -> UInt64 { bits }
  }

  @Test func doublesUpToTheLongestWaitAndStartsOver() {
    var longest = Constant(bits: .max)
    var backoff = RedisBackoff(.milliseconds(50) ... .seconds(2))
    var delays = (0..<8).map { _ in backoff.next(using: &longest) }
    backoff.reset()
    delays.append(backoff.next(using: &longest))
    let expected: [Double] = [50, 100, 200, 400, 800, 1600, 2000, 2000, 50]
    for (delay, milliseconds) in zip(delays, expected) {
      #expect(abs(delay / .milliseconds(1) - milliseconds) < 0.01)
    }
  }

  @Test func isCutByHalfAtMost() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<1000 {
      var backoff = RedisBackoff(.milliseconds(50) ... .seconds(2))
      let delay = backoff.next(using: &random)
      #expect(delay >= .milliseconds(25) && delay <= .milliseconds(50))
    }
  }
}
