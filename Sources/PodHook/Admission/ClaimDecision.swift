import AdmissionReview
import Coordination
import JSON

/// The decision about one guarded Pod whose annotations are in order.
struct ClaimDecision {
  let admission: PodAdmission
  let request: AdmissionRequest
  let pod: GuardedPod
  let annotations: PodAnnotations
  let key: NamespacedKey
  let deadline: Duration

  private var claims: any Claims { admission.claims }
  private var injection: SidecarInjection {
    SidecarInjection(
      identity: admission.identity, template: admission.template, pod: pod.manifest)
  }

  func decide() async throws -> PodAdmission.Verdict {
    if let port = try await reinvokedProbePort() { return try reinvoked(port) }
    let holder = Holder(
      pod: pod.name, isGeneratedName: pod.isGeneratedName, owner: pod.owner,
      since: admission.wallClock())
    let isDryRun = request.isDryRun
    let answer =
      isDryRun
      ? try await claims.rehearse(key, annotations, for: holder, deadline: deadline)
      : try await claims.take(key, annotations, for: holder, deadline: deadline)
    switch answer {
    case .granted(let token, let fencingToken):
      do throws(JSONError) {
        return try admit(
          isDryRun ? .dryRun : .granted, token: token, fencingToken: fencingToken)
      } catch {
        if !isDryRun { claims.giveBack(key, token: token) }
        throw error
      }
    case .refused(let outcome, let message):
      guard annotations.policy == .wait else { return verdict(.denied(message), outcome) }
      return isDryRun
        ? try admit(.dryRun, token: ClaimAnswer.placeholder, fencingToken: nil)
        : try admit(.waiting, token: .random(), fencingToken: nil)
    }
  }

  private func admit(
    _ outcome: AdmissionOutcome, token: Token, fencingToken: UInt64?
  ) throws(JSONError) -> PodAdmission.Verdict {
    let injection = injection
    let terms = claims.sidecarTerms(annotations, otherContainers: injection.others.count)
    let result = try injection.inject(
      .init(key: key, token: token, arguments: terms.arguments, fencingToken: fencingToken))
    return verdict(
      AdmissionResponse(patch: result.patch.bytes, warnings: terms.warnings + result.warnings),
      outcome, claim: outcome == .granted ? token : nil)
  }

  private func verdict(
    _ response: AdmissionResponse, _ outcome: AdmissionOutcome, claim: Token? = nil
  ) -> PodAdmission.Verdict {
    PodAdmission.Verdict(
      response: response, outcome: outcome, key: key, pod: pod.displayName, claim: claim)
  }
}

// MARK: - Re-invocation

extension ClaimDecision {
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
    if token == ClaimAnswer.placeholder {
      guard request.isDryRun else { return nil }
      // From a dry run before this one, perhaps: the answer is still that of today.
      let today = try await claims.rehearse(
        key, annotations, for: Holder(pod: pod.name, since: 0), deadline: deadline)
      if case .refused = today, annotations.policy != .wait { return nil }
      return .some(port)
    }
    guard let holder = try await claims.claimant(key, token: token, deadline: deadline),
      holder.pod == pod.name, holder.isGeneratedName == pod.isGeneratedName
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
