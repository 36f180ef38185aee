import NIOCore
import Testing

@testable import RedisProxy

@Suite struct ReadYourWritesTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  @Test func readsNeedThePrimaryFromTheWriteUntilAWhileAfterItsReply() {
    var freshness = ReadYourWrites()
    #expect(!freshness.needsPrimary(at: start))
    freshness.wrote(3)
    freshness.answered(2, now: start, lasting: .seconds(1))
    #expect(freshness.needsPrimary(at: start + .hours(1)))
    freshness.wrote(5)
    freshness.answered(3, now: start, lasting: .seconds(1))
    #expect(freshness.needsPrimary(at: start + .hours(1)))
    freshness.answered(6, now: start, lasting: .seconds(1))
    #expect(freshness.needsPrimary(at: start))
    #expect(!freshness.needsPrimary(at: start + .seconds(1)))
  }

  @Test func laterRepliesProlongNothing() {
    var freshness = ReadYourWrites()
    freshness.wrote(1)
    freshness.answered(1, now: start, lasting: .seconds(1))
    freshness.answered(2, now: start + .seconds(1), lasting: .seconds(1))
    #expect(!freshness.needsPrimary(at: start + .seconds(1)))
  }
}
