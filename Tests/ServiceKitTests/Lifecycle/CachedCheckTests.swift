import ServiceKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct CachedCheckTests {
  private final class ManualClock: Sendable {
    private let time = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 += duration } }
  }

  @Test func asksOncePerInterval() async {
    let clock = ManualClock()
    let asked = Collected<Int>()
    let check = CachedCheck(
      HealthCheck("store") {
        asked.append(0)
        return asked.all.count == 1 ? .unhealthy("down") : .healthy
      }, interval: .seconds(1), now: { clock.now })
    #expect(await check.health() == .unhealthy("down"))
    clock.advance(.milliseconds(999))
    #expect(await check.health() == .unhealthy("down"))
    clock.advance(.milliseconds(1))
    #expect(await check.healthCheck() == .healthy)
    #expect(asked.all.count == 2)
  }

  @Test func givesTheLastAnswerWhileAskingButNotForEver() async {
    let clock = ManualClock()
    let asked = Collected<Int>()
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let check = CachedCheck(
      HealthCheck("store") {
        asked.append(0)
        if asked.all.count > 1 { for await _ in gate { break } }
        return .healthy
      }, interval: .seconds(1), patience: .seconds(5), now: { clock.now })
    #expect(await check.health() == .healthy)
    clock.advance(.seconds(2))
    async let hanging = check.health()
    _ = await asked.first(2)
    #expect(await check.health() == .healthy)
    clock.advance(.seconds(5))
    #expect(await check.health() == .unhealthy("no answer yet"))
    open.yield()
    #expect(await hanging == .healthy)
    #expect(await check.health() == .healthy)
  }

  @Test func readinessNamesTheFirstCheckThatFails() async {
    let readiness = Readiness(checks: [HealthCheck("a") { .healthy }])
    #expect(await readiness.health() == .healthy)
    readiness.require(HealthCheck("b") { .unhealthy("no quorum") })
    readiness.require(HealthCheck("c") { .unhealthy("other") })
    #expect(await readiness.health() == .unhealthy("b: no quorum"))
    readiness.stop()
    #expect(readiness.isStopping)
    #expect(await readiness.health() == .unhealthy("shutting down"))
  }
}
