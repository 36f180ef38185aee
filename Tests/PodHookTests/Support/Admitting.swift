import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

/// A webhook without HTTP, on a store in memory and a clock that stands still.
struct Admitting {
  let time = ManualTime()
  let store: ScriptedStore
  let hook: PodAdmission
  let identity: HookIdentity

  /// 2026-11-21T09:00:00Z
  static let today = 1_795_251_600
  static let key = NamespacedKey(namespace: "demo", key: "k")
  static let template = SidecarTemplate(image: "hook:1", probePort: 65531)

  init(
    _ template: SidecarTemplate = Self.template, variant: String? = nil,
    sharing other: Admitting? = nil, releaseDelay: Duration = .zero
  ) {
    self.init(
      template, .exactlyOne(variant: variant), sharing: other, releaseDelay: releaseDelay)
  }

  init(
    _ template: SidecarTemplate, _ identity: HookIdentity, sharing other: Admitting? = nil,
    releaseDelay: Duration = .zero
  ) {
    self.identity = identity
    store = other?.store ?? ScriptedStore(time: time)
    let claims = LockClaims(
      store: store, claimTime: template.isGated ? .seconds(120) : nil, releaseDelay: releaseDelay,
      wallClock: { Self.today })
    hook = PodAdmission(
      identity: identity, template: template, claims: claims, wallClock: { Self.today })
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

  /// Somebody else's lock, bound to a Pod.
  @discardableResult
  func occupy(
    _ key: NamespacedKey = Self.key, owner: String? = nil, ttl: Duration = .seconds(45)
  ) async throws -> Token {
    let holder = Holder(
      pod: "other-1", podUID: "other-uid", node: "node-7", owner: owner, since: Self.today - 90)
    let result = try await store.memory.acquire(key, as: holder, ttl: ttl, deadline: .zero)
    guard case .granted(let lease) = result else { throw Occupied() }
    return lease.token
  }

  struct Occupied: Error {}
}

/// A Pod as the API server keeps it after the webhook's answer.
struct Admitted {
  let verdict: PodAdmission.Verdict
  let pod: JSONValue
  let sidecar: JSONValue
  let token: Token

  init(_ verdict: PodAdmission.Verdict, _ before: JSONValue, _ identity: HookIdentity) throws {
    self.verdict = verdict
    pod =
      if let patch = verdict.response.patch {
        try JSONPatch.apply(JSONValue(parsing: patch), to: before)
      } else {
        before
      }
    sidecar = try #require(pod.container(identity.containerName))
    token = Token(try #require(sidecar["args"]?[2]?.string))
  }
}
