import Coordination
import CoreMetrics
import Logging
import ServiceKit
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct SemaphoreGaugesTests {
  private let time = ManualTime()
  private let queue: ScriptedQueue
  private let gauges: SemaphoreGauges
  private let registry = PrometheusRegistry()
  private let logs = LogCapture()

  init() {
    queue = ScriptedQueue(time: time)
    let capture = logs
    gauges = SemaphoreGauges(
      store: queue, time: time, logger: Logger(label: "test") { _ in capture.handler })
  }

  private func follow(_ key: NamespacedKey = Admitting.key) {
    withMetricsFactory(registry) { gauges.follow(key) }
  }

  private var exposition: String { String(decoding: registry.expose(), as: UTF8.self) }

  /// The value of a semaphore's metric; nil: it is not shown.
  private func value(_ name: String, _ key: NamespacedKey = Admitting.key) -> String? {
    let start =
      "at_least_semaphore_\(name){key=\"\(key.key)\",namespace=\"\(key.namespace)\"} "
    return exposition.split(separator: "\n").first { $0.hasPrefix(start) }
      .map { String($0.dropFirst(start.count)) }
  }

  private func key(_ number: Int) -> NamespacedKey {
    NamespacedKey(namespace: "demo", key: "key-\(number)")
  }

  @Test func showFreePermitsThoseInFlightAndTheLength() async throws {
    let others = try await queue.occupy(length: 3)
    queue.vacate(others[1], of: 2)
    follow()
    await gauges.refresh()
    #expect(value("queue") == "1" && value("inflight") == "2" && value("length") == "3")
    try await queue.settleNow(length: 2)
    await gauges.refresh()
    #expect(value("queue") == "0" && value("inflight") == "2" && value("length") == "2")
  }

  @Test func keysOfOtherNamespacesAreOtherSeries() async throws {
    let other = NamespacedKey(namespace: "demo2", key: "k")
    try await queue.occupy(length: 1)
    try await queue.settleNow(other, length: 4)
    follow()
    follow(other)
    await gauges.refresh()
    #expect(value("inflight") == "1" && value("inflight", other) == "0")
    #expect(value("queue") == "0" && value("queue", other) == "4")
  }

  /// The store's sums started long before this process: only what is added counts.
  @Test func sumsOfTheStoreAreCountedFromTheFirstLookOn() async throws {
    let holder = Holder(pod: "a", podUID: "a", since: 0)
    func reclaim() async throws -> Token {
      try await queue.settleNow(length: 1)
      let permit = try await queue.memory.pop(
        Admitting.key, length: 1, as: holder, lifetime: .seconds(120), deadline: .zero)
      let token: Token = try #require(permit)
      time.advance(by: .seconds(121))
      return token
    }
    _ = try await reclaim()
    try await queue.settleNow(length: 1)
    follow()
    await gauges.refresh()
    #expect(value("reclaimed_total") == "0" && value("lost_total") == "0")

    let token = try await reclaim()
    let others = try await queue.occupy(length: 1)
    time.advance(by: .milliseconds(2500))
    _ = try await queue.memory.heartbeat(
      Admitting.key, token: token, as: holder, deadline: .zero)
    await gauges.refresh()
    #expect(value("reclaimed_total") == "1" && value("lost_total") == "1")
    #expect(value("over_length_seconds_total") == "2.5")
    await gauges.refresh()
    #expect(value("reclaimed_total") == "1" && value("over_length_seconds_total") == "2.5")
    queue.vacate(others[0], of: 1)
  }

  /// The store forgot a semaphore that nobody used: its sums start at zero again.
  @Test func aSumThatFellCountsNothing() async throws {
    func reclaimAll(of length: Int) async throws {
      try await queue.occupy(length: length)
      time.advance(by: .seconds(121))
      try await queue.settleNow(length: length)
    }
    try await reclaimAll(of: 3)
    follow()
    await gauges.refresh()
    queue.forgetAll()
    await gauges.refresh()
    #expect(value("reclaimed_total") == "0" && value("queue") == "0")
    try await reclaimAll(of: 2)
    await gauges.refresh()
    #expect(value("reclaimed_total") == "2")
  }

  @Test func aSemaphoreThatNobodyUsesIsForgotten() async throws {
    let used = key(1)
    try await queue.occupy(used, length: 1)
    follow()
    follow(used)
    await gauges.refresh()
    time.advance(by: .seconds(600))
    await gauges.refresh()
    #expect(value("queue") == "0" && value("inflight", used) == "1")
    time.advance(by: .nanoseconds(1))
    await gauges.refresh()
    #expect(value("queue") == nil && value("reclaimed_total") == nil)
    #expect(value("over_length_seconds_total") == nil)
    // As long as it has holders, it is shown.
    #expect(value("inflight", used) == "1")
    follow()
    await gauges.refresh()
    #expect(value("queue") == "0")
  }

  @Test func askingAgainKeepsItInMind() async throws {
    follow()
    for _ in 0..<4 {
      time.advance(by: .seconds(500))
      follow()
      await gauges.refresh()
    }
    #expect(value("queue") == "0")
  }

  @Test func noMoreThanAThousandAreShown() async throws {
    for number in 0..<1500 { follow(key(number)) }
    await gauges.refresh()
    let shown = exposition.split(separator: "\n").count {
      $0.hasPrefix("at_least_semaphore_queue{")
    }
    #expect(shown == 1000)
    #expect(queue.calls.count { $0 == .counts } == 1000)
    #expect(!exposition.contains("overflow"))
  }

  /// A store that is away is not asked for all of them in vain, and the last values stay.
  @Test func afterAFewFailuresARoundEnds() async throws {
    try await queue.occupy(length: 2)
    follow()
    await gauges.refresh()
    for number in 0..<20 { follow(key(number)) }
    queue.fail(.counts)
    await gauges.refresh()
    #expect(value("inflight") == "2")
    #expect(logs.lines.count == 3)
    #expect(logs.lines.allSatisfy { $0.hasPrefix("debug: semaphore could not be read") })
  }

  @Test func runningTheyStartWithWhatTheStoreHasAndLookEveryFiveSeconds() async throws {
    let others = try await queue.occupy(length: 2)
    let ending = try await withMetricsFactory(registry) {
      try await Ending.of(gauges) { group async throws in
        await time.settle()
        #expect(value("inflight") == "2")
        queue.vacate(others[0], of: 1)
        #expect(time.nextAlarm == time.now + .seconds(5))
        await time.step()
        #expect(value("inflight") == "1" && value("queue") == "1")
        await group.triggerGracefulShutdown()
      }
    }
    #expect(ending == .returned)
    #expect(queue.calls == [.keys, .counts, .counts])
  }

  @Test func aStoreThatIsAwayAtTheStartIsAskedLater() async throws {
    queue.fail(.keys, .counts)
    let ending = try await withMetricsFactory(registry) {
      try await Ending.of(gauges) { group async throws in
        await time.settle()
        follow()
        await time.step()
        queue.recover()
        try await queue.occupy(length: 2)
        await time.step()
        #expect(value("inflight") == "2")
        await group.triggerGracefulShutdown()
      }
    }
    #expect(ending == .returned)
  }
}
