import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct RenewalTests {
  @Test(arguments: [(60, 9000, 11000), (9, 2700, 3300), (1, 300, 367), (86400, 9000, 11000)])
  func comesInTimeAndNotAtTheSameMomentForAll(
    expiration: Int, least: Int, most: Int
  ) async throws {
    let keeping = try await Keeping.claimed(
      expiration: .seconds(expiration), margin: .milliseconds(expiration * 100))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      for _ in 0..<5 {
        let pause = try #require(keeping.time.nextAlarm) - keeping.time.now
        #expect(pause >= .milliseconds(least) && pause <= .milliseconds(most))
        await keeping.time.step()
        #expect(keeping.isReady)
        #expect(try await keeping.owner()?.timeLeft == .seconds(expiration))
      }
      #expect(keeping.store.calls.filter { $0 == .extend }.count == 6)
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 1)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func afterAFailureTheNextTryComesAfterATenthOfTheInterval() async throws {
    let keeping = try await Keeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.store.fail(.extend)
      for _ in 0..<5 {
        await keeping.time.step()
        #expect(keeping.isReady)
        #expect(keeping.time.nextAlarm == keeping.time.now + .seconds(1))
      }
      keeping.store.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.owner()?.timeLeft == .seconds(60))
      let pause = try #require(keeping.time.nextAlarm) - keeping.time.now
      #expect(pause >= .seconds(9))
      await group.triggerGracefulShutdown()
    }
  }

  /// The renewal was done, but its answer got lost: it is simply done again.
  @Test func anUnheardRenewalIsRepeated() async throws {
    let keeping = try await Keeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.store.loseAnswers(to: .extend)
      await keeping.time.step(2)
      keeping.store.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      await group.triggerGracefulShutdown()
    }
  }
}

@Suite struct LeaseTermsTests {
  private func schedule(_ expiration: Duration, _ margin: Duration = .zero) -> LeaseTerms {
    LeaseTerms(expiration: expiration, fenceMargin: margin)
  }

  @Test(arguments: [
    (Duration.seconds(1), Duration.seconds(1) / 3), (.seconds(3), .seconds(1)),
    (.seconds(30), .seconds(10)), (.seconds(31), .seconds(10)),
    (.seconds(31_536_000), .seconds(10)),
  ])
  func theIntervalIsAThirdAndTenSecondsAtMost(expiration: Duration, interval: Duration) {
    #expect(schedule(expiration).interval == interval)
  }

  @Test(arguments: [(-1.0, 109), (0.0, 110), (1.0, 111)])
  func jitterIsATenth(jitter: Double, seconds: Int) {
    #expect(
      schedule(.seconds(60)).nextRenewal(after: .seconds(100), jitter: jitter)
        == .seconds(seconds))
  }

  @Test func aRetryComesAfterATenthOfTheInterval() {
    #expect(schedule(.seconds(60)).nextAttempt(after: .seconds(5)) == .seconds(6))
  }

  @Test func givingUpComesTheMarginBeforeTheEnd() {
    let lease = LockLease(token: .random(), fencingToken: 1, validUntil: .seconds(100))
    #expect(schedule(.seconds(60), .seconds(7)).giveUp(lease) == .seconds(93))
  }
}

@Suite struct LockViewTests {
  private let lease = LockLease(
    token: Token("t"), fencingToken: 7, validUntil: .seconds(100))

  @Test func holdsNothingAtFirst() {
    let view = LockView()
    #expect(view.status(at: .zero) == .init(isHeld: false, fencingToken: nil, validUntil: nil))
    #expect(view.token == nil && !view.isOpen)
  }

  /// Nobody had to run in between: what a frozen process says when it wakes up is right at once.
  @Test func afterAFreezeItSaysNoBeforeAnythingElseRan() {
    let view = LockView()
    view.hold(lease, until: .seconds(93))
    view.open()
    #expect(
      view.status(at: .seconds(93) - .nanoseconds(1))
        == .init(isHeld: true, fencingToken: 7, validUntil: .seconds(100)))
    #expect(view.status(at: .seconds(93)).isHeld == false)
    #expect(view.status(at: .seconds(5000)).fencingToken == nil)
  }

  @Test func theTokenOutlivesTheLease() {
    let view = LockView()
    view.hold(lease, until: .seconds(93))
    view.drop()
    #expect(!view.status(at: .zero).isHeld && view.token == Token("t"))
  }
}
