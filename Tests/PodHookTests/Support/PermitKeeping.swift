import Coordination
import CoreMetrics
import Logging
import ServiceKit
import ServiceLifecycle
import Testing

@testable import PodHook

/// The sidecar of a permit, on stores in memory and a clock that is moved by hand.
struct PermitKeeping: CustomTestStringConvertible {
  static let key = Keeping.key
  static let uid = Keeping.uid

  let time: ManualTime
  let queue: ScriptedQueue
  let locks: ScriptedStore
  let logs = LogCapture()
  let mark: MemoryMark
  /// With what the process would have ended at once.
  let exits = MemoryExits()
  let registry = PrometheusRegistry()
  let configuration: SidecarConfiguration
  let sidecar: PermitSidecar

  /// - Parameters:
  ///   - token: the claim; nil: one that nobody ever took.
  ///   - other: whose stores and clock to share, and whose Pod if the UID is the same.
  init(
    token: Token? = nil, length: Int = 2, fence: Fence = .restartAll, isGated: Bool = true,
    grace: Duration = .seconds(10), uid: String = Self.uid, beside other: PermitKeeping? = nil,
    time: ManualTime = ManualTime(), queue: ScriptedQueue? = nil
  ) {
    self.time = other?.time ?? time
    self.queue = other?.queue ?? queue ?? ScriptedQueue(time: self.time)
    locks = other?.locks ?? ScriptedStore(time: self.time)
    configuration = SidecarConfiguration(
      key: Self.key, token: token ?? Token("never-taken"), fence: fence, isGated: isGated,
      gracePeriod: grace,
      holder: Holder(pod: "app-0", podUID: uid, node: "node-1", since: Keeping.today))
    let capture = logs
    mark = other.flatMap { $0.configuration.podUID == uid ? $0.mark : nil } ?? MemoryMark()
    var effects = SidecarEffects()
    effects.mark = isGated ? mark : nil
    effects.exit = { [exits] in exits.note($0) }
    let (configuration, queue, locks) = (configuration, self.queue, locks)
    let clock = self.time
    let settled = effects
    sidecar = withMetricsFactory(registry) {
      PermitSidecar(
        configuration: configuration,
        terms: PermitTerms(
          length: length, lockTime: .seconds(10), heartbeatInterval: .seconds(30)),
        semaphore: Semaphore(store: queue, locks: locks, name: "at-least", time: clock),
        time: clock, wallClock: { Keeping.today }, effects: settled,
        logger: Logger(label: "test") { _ in capture.handler })
    }
  }

  /// A sidecar whose claim the webhook has just taken.
  static func claimed(
    length: Int = 2, fence: Fence = .restartAll, isGated: Bool = true,
    grace: Duration = .seconds(10)
  ) async throws -> PermitKeeping {
    let time = ManualTime()
    let queue = ScriptedQueue(time: time)
    let holder = Holder(pod: "app-0", owner: "ReplicaSet/app", since: Keeping.today - 5)
    try await queue.settleNow(length: length)
    let permit = try await queue.memory.pop(
      key, length: length, as: holder, lifetime: .seconds(120), deadline: .zero)
    let token: Token = try #require(permit)
    return PermitKeeping(
      token: token, length: length, fence: fence, isGated: isGated, grace: grace, time: time,
      queue: queue)
  }

  /// Runs the sidecar until it ends by itself or `body` has triggered the shutdown.
  func run(_ body: (ServiceGroup) async throws -> Void) async throws -> Ending {
    try await Ending.of(sidecar, during: body)
  }

  /// Runs the sidecar until it sleeps, then kills it: nothing is given back.
  func crash() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await sidecar.run() }
      await time.settle()
      group.cancelAll()
    }
  }

  // MARK: - What is to be seen

  var testDescription: String { "the sidecar of \(configuration.podUID)" }

  var isHeld: Bool { sidecar.view.isHeld }
  var isReady: Bool { isHeld && sidecar.view.isOpen }

  /// The permits that are bound to this Pod.
  func own() async throws -> [Permit] {
    try await queue.inFlight().filter { $0.holder?.podUID == configuration.podUID }
  }

  /// Whether a line of the metrics reads so.
  func exposes(_ line: String) -> Bool {
    String(decoding: registry.expose(), as: UTF8.self).split(separator: "\n")
      .contains { $0 == line }
  }

  /// The value of a metric without labels.
  func value(_ metric: String) -> Double? {
    String(decoding: registry.expose(), as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix(metric + " ") }
      .flatMap { Double($0.dropFirst(metric.count + 1)) }
  }

  // MARK: - What happens to it

  /// The store cannot be reached for so long that others reclaim the permit, and take all that are
  /// free. Then it is back.
  @discardableResult
  func lapse(length: Int = 2, isTaken: Bool) async throws -> [Token] {
    await time.settle()
    queue.fail(.heartbeat)
    time.advance(by: queue.staleAfter + .seconds(1))
    await time.settle()
    let others = isTaken ? try await queue.occupy(length: length) : []
    if !isTaken { try await queue.settleNow(length: length) }
    queue.recover()
    return others
  }
}
