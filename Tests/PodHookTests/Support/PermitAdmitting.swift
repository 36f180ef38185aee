import AdmissionReview
import Coordination
import JSON
import Logging
import Testing

@testable import PodHook

/// The webhook of the semaphore without HTTP, on stores in memory and a clock that stands still.
struct PermitAdmitting {
  let time: ManualTime
  let queue: ScriptedQueue
  let locks: ScriptedStore
  let gauges: SemaphoreGauges
  let hook: PodAdmission
  let identity: HookIdentity

  static let template = SidecarTemplate(image: "hook:1", probePort: 65530)

  /// - Parameter locks: a store that others use too; nil: one of its own.
  init(
    _ template: SidecarTemplate = Self.template, variant: String? = nil,
    claimTime: Duration = .seconds(120), heartbeatInterval: Duration = .seconds(30),
    staleAfter: Duration = .seconds(120), time: ManualTime = ManualTime(),
    locks: ScriptedStore? = nil
  ) {
    self.time = time
    self.locks = locks ?? ScriptedStore(time: time)
    identity = .atLeastSemaphore(variant: variant)
    queue = ScriptedQueue(staleAfter: staleAfter, time: time)
    gauges = SemaphoreGauges(
      store: queue, time: time, logger: Logger(label: "gauges") { _ in SwiftLogNoOpLogHandler() })
    let claims = PermitClaims(
      semaphore: Semaphore(store: queue, locks: self.locks, name: "at-least", time: time),
      locks: self.locks, claimTime: claimTime, heartbeatInterval: heartbeatInterval,
      gauges: gauges)
    hook = PodAdmission(
      identity: identity, template: template, claims: claims, wallClock: { Admitting.today })
  }

  func review(_ review: JSONValue) async throws -> PodAdmission.Verdict {
    await hook.review(try Reviews.request(review), deadline: time.now + .seconds(9))
  }

  func create(
    _ pod: JSONValue, _ fields: [String: JSONValue] = [:]
  ) async throws -> PodAdmission.Verdict {
    try await review(Reviews.creation(of: pod, fields))
  }

  /// Creates a Pod that must be let in.
  func admit(_ pod: JSONValue, _ fields: [String: JSONValue] = [:]) async throws -> Admitted {
    let verdict = try await create(pod, fields)
    #expect(verdict.response.refusal == nil)
    return try Admitted(verdict, pod, identity)
  }

  /// Nothing of the lock around the queue is left.
  func expectNoLock(_ key: NamespacedKey = Admitting.key) async throws {
    #expect(try await locks.owner(key) == nil)
  }
}
