import AdmissionReview
import Coordination
import JSON

/// The decision about one guarded Pod whose annotations are in order.
struct LockDecision {
  let admission: PodAdmission
  let request: AdmissionRequest
  let pod: GuardedPod
  let annotations: PodAnnotations
  let key: NamespacedKey
  let deadline: Duration

  private var store: any LockStore { admission.store }
  private var injection: SidecarInjection {
    SidecarInjection(
      identity: admission.identity, template: admission.template, pod: pod.manifest)
  }

  func decide() async throws -> PodAdmission.Verdict {
    if let port = try await reinvokedProbePort() { return try reinvoked(port) }
    if request.isDryRun { return try await rehearse() }
    let holder = Holder(
      pod: pod.name, isGeneratedName: pod.isGeneratedName, owner: pod.owner,
      since: admission.wallClock())
    let ttl =
      admission.template.isGated ? admission.claimTime : Duration.seconds(annotations.expiration)
    switch try await store.acquire(key, as: holder, ttl: ttl, deadline: deadline) {
    case .granted(let lease):
      do throws(JSONError) {
        return try admit(.granted, token: lease.token, fencingToken: lease.fencingToken)
      } catch {
        store.giveBack(key, token: lease.token, podUID: nil)
        throw error
      }
    case .taken(let owner):
      guard annotations.policy == .wait else { return taken(owner) }
      return try admit(.waiting, token: .random(), fencingToken: nil)
    }
  }

  /// The same answer without a change in the store.
  private func rehearse() async throws -> PodAdmission.Verdict {
    let snapshot = try await store.inspect(key, podUID: nil, deadline: deadline)
    if let owner = snapshot.owner {
      guard annotations.policy == .wait else { return taken(owner) }
      return try admit(.dryRun, token: PodAdmission.placeholder, fencingToken: nil)
    }
    return try admit(
      .dryRun, token: PodAdmission.placeholder, fencingToken: snapshot.fencingToken + 1)
  }

  private func admit(
    _ outcome: AdmissionOutcome, token: Token, fencingToken: UInt64?
  ) throws(JSONError) -> PodAdmission.Verdict {
    let result = try injection.inject(
      .init(
        key: key, token: token, expiration: annotations.expiration, fencingToken: fencingToken))
    var warnings = result.warnings
    if annotations.expiration < PodAnnotations.comfortableExpiration {
      warnings.insert(
        "expiration \(annotations.expiration) is below \(PodAnnotations.comfortableExpiration): "
          + "a slow node or store can cost a healthy Pod its lock", at: 0)
    }
    return verdict(
      AdmissionResponse(patch: result.patch.bytes, warnings: warnings), outcome,
      claim: outcome == .granted ? token : nil)
  }

  private func taken(_ owner: LockOwnership) -> PodAdmission.Verdict {
    verdict(
      .denied(Refusal.lockTaken(owner, newcomer: pod.owner, now: admission.wallClock())), .taken)
  }

  private func verdict(
    _ response: AdmissionResponse, _ outcome: AdmissionOutcome, claim: Token? = nil
  ) -> PodAdmission.Verdict {
    PodAdmission.Verdict(
      response: response, outcome: outcome, key: key, pod: pod.displayName, claim: claim)
  }
}

// MARK: - Re-invocation

extension LockDecision {
  /// Tells the second call for one request from copies and forgeries.
  ///
  /// A sidecar of ours may stay only if its token is a claim of this key that no sidecar has bound,
  /// taken for a Pod with the same name: a copy of a running Pod has a bound token, and a copy made
  /// before that has another name than the Pod that was admitted. (The request's uid is new on
  /// every call and proves nothing.)
  ///
  /// - Returns: the probe port of the sidecar that may stay (nil inside: it has none), or nil.
  private func reinvokedProbePort() async throws -> Int?? {
    let existing = injection.existing
    guard existing.count == 1, let sidecar = existing.first else { return nil }
    let arguments = try sidecar.node.field("args")?.elements.compactMap(\.string) ?? []
    guard arguments.count > 2, arguments[0] == "sidecar",
      arguments[1].replacingDoubleDollars == key.description
    else { return nil }
    let port = Self.probePort(arguments)
    let token = Token(arguments[2])
    if token == PodAdmission.placeholder, !request.isDryRun { return nil }
    let owner = try await store.inspect(key, podUID: nil, deadline: deadline).owner
    if token == PodAdmission.placeholder {
      // From a dry run before this one, perhaps: the answer is still that of today.
      return owner == nil || annotations.policy == .wait ? .some(port) : nil
    }
    guard let record = owner?.record, record.token == token, let holder = record.holder,
      holder.podUID == nil, holder.pod == pod.name, holder.isGeneratedName == pod.isGeneratedName
    else { return nil }
    return .some(port)
  }

  /// Nothing is added or moved. Only what Istio must leave alone is said again, for a proxy that
  /// came in after us.
  private func reinvoked(_ port: Int?) throws(JSONError) -> PodAdmission.Verdict {
    var patch = JSONPatch()
    try injection.writeIstioAnnotations(probePort: port, to: &patch)
    return verdict(
      patch.isEmpty ? .allowed : AdmissionResponse(patch: patch.bytes), .reinvoked)
  }

  private static func probePort(_ arguments: [String]) -> Int? {
    guard let flag = arguments.firstIndex(of: "--probe-address"), flag + 1 < arguments.count,
      let text = arguments[flag + 1].split(separator: ":").last
    else { return nil }
    return Int(text)
  }
}

extension String {
  /// What the kubelet makes of an argument that holds no variables.
  fileprivate var replacingDoubleDollars: String {
    var text = ""
    var isSecond = false
    for scalar in unicodeScalars {
      if scalar == "$", isSecond {
        isSecond = false
        continue
      }
      isSecond = scalar == "$"
      text.unicodeScalars.append(scalar)
    }
    return text
  }
}
