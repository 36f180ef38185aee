import Coordination
import Logging
import ServiceLifecycle
import Testing

@testable import PodHook

/// A sidecar on a store in memory and a clock that is moved by hand.
struct Keeping {
  static let key = NamespacedKey(namespace: "demo", key: "k")
  static let today = 1_795_251_600
  static let uid = "uid-0"

  let time: ManualTime
  let store: ScriptedStore
  let logs = LogCapture()
  let mark: MemoryMark
  /// With what the process would have ended at once.
  let exits = MemoryExits()
  let configuration: SidecarConfiguration
  let sidecar: LockSidecar

  /// - Parameters:
  ///   - token: the claim; nil: one that nobody ever took.
  ///   - other: whose store and clock to share.
  init(
    token: Token? = nil, expiration: Duration = .seconds(60),
    margin: Duration = .seconds(5), fence: Fence = .restartAll, isGated: Bool = true,
    grace: Duration = .seconds(10), releaseDelay: Duration = .zero, uid: String = Self.uid,
    beside other: Keeping? = nil, time: ManualTime = ManualTime(), store: ScriptedStore? = nil
  ) {
    self.time = other?.time ?? time
    self.store = other?.store ?? store ?? ScriptedStore(time: self.time)
    configuration = SidecarConfiguration(
      key: Self.key, token: token ?? Token("never-taken"), fence: fence, isGated: isGated,
      gracePeriod: grace,
      holder: Holder(pod: "app-0", podUID: uid, node: "node-1", since: Self.today))
    let capture = logs
    mark = other.flatMap { $0.configuration.podUID == uid ? $0.mark : nil } ?? MemoryMark()
    var effects = SidecarEffects()
    effects.mark = mark
    effects.exit = { [exits] in exits.note($0) }
    sidecar = LockSidecar(
      configuration: configuration,
      terms: LeaseTerms(
        expiration: expiration, fenceMargin: margin, releaseDelay: releaseDelay),
      store: self.store, time: self.time,
      wallClock: { Self.today }, effects: effects,
      logger: Logger(label: "test") { _ in capture.handler })
  }

  /// A sidecar whose claim the webhook has just taken.
  static func claimed(
    expiration: Duration = .seconds(60), margin: Duration = .seconds(5),
    fence: Fence = .restartAll, isGated: Bool = true, grace: Duration = .seconds(10),
    releaseDelay: Duration = .zero
  ) async throws -> Keeping {
    let time = ManualTime()
    let store = ScriptedStore(time: time)
    let holder = Holder(pod: "app-0", owner: "ReplicaSet/app", since: today - 5)
    let result = try await store.memory.acquire(
      key, as: holder, ttl: .seconds(120), deadline: .zero)
    guard case .granted(let lease) = result else { throw Admitting.Occupied() }
    return Keeping(
      token: lease.token, expiration: expiration, margin: margin, fence: fence, isGated: isGated,
      grace: grace, releaseDelay: releaseDelay, time: time, store: store)
  }

  /// Runs the sidecar until it ends by itself or `body` has triggered the shutdown.
  func run(_ body: (ServiceGroup) async throws -> Void) async throws -> Ending {
    try await Ending.of(sidecar, during: body)
  }

  // MARK: - What is to be seen

  var isHeld: Bool { sidecar.view.status(at: time.now).isHeld }
  var isReady: Bool { isHeld && sidecar.view.isOpen }

  func owner() async throws -> LockOwnership? { try await store.owner(Self.key) }

  /// Somebody else takes the lock, by force if need be.
  @discardableResult
  func occupy(ttl: Duration = .seconds(30)) async throws -> Token {
    if let record = try await owner()?.record {
      store.memory.giveBack(Self.key, token: record.token, podUID: record.holder?.podUID)
    }
    let holder = Holder(pod: "other-1", podUID: "other-uid", since: Self.today)
    let result = try await store.memory.acquire(Self.key, as: holder, ttl: ttl, deadline: .zero)
    guard case .granted(let lease) = result else { throw Admitting.Occupied() }
    return lease.token
  }
}
