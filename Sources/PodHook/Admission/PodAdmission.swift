package import AdmissionReview
package import Coordination
import JSON

/// Decides whether a Pod may be created, and what goes into it: the rules of the webhook, without
/// HTTP.
package struct PodAdmission: Sendable {
  package struct Verdict: Sendable {
    package let response: AdmissionResponse
    package let outcome: AdmissionOutcome
    /// The key that was asked for; nil for a Pod that is not guarded.
    package let key: NamespacedKey?
    /// The Pod's name as far as it has one.
    package let pod: String
    /// A claim that was taken for this Pod, to be given back if the answer cannot be delivered.
    package let claim: Token?
  }

  let identity: HookIdentity
  let template: SidecarTemplate
  package let claims: any Claims
  /// Seconds since 1970, for people.
  let wallClock: @Sendable () -> Int

  package init(
    identity: HookIdentity, template: SidecarTemplate, claims: any Claims,
    wallClock: @escaping @Sendable () -> Int
  ) {
    self.identity = identity
    self.template = template
    self.claims = claims
    self.wallClock = wallClock
  }

  /// - Parameter deadline: when the answer must be there, on the store's clock.
  package func review(_ request: AdmissionRequest, deadline: Duration) async -> Verdict {
    var pod = ""
    var key: NamespacedKey?
    do {
      guard let guarded = try guardedPod(request) else {
        return Verdict(
          response: .allowed, outcome: .notGuarded, key: nil, pod: request.name, claim: nil)
      }
      pod = guarded.displayName
      let annotations = try PodAnnotations(
        reading: guarded.annotations, of: identity, by: claims.annotationRules)
      key = NamespacedKey(namespace: request.namespace, key: annotations.key)
      if try guarded.manifest.spec?.field("os", "name")?.string == "windows" {
        return refuse(.windows, .denied("windows pods are not supported"), key, pod)
      }
      guard !request.namespace.isEmpty else {
        return refuse(.ambiguous, .denied("the request names no namespace"), nil, pod)
      }
      let decision = ClaimDecision(
        admission: self, request: request, pod: guarded, annotations: annotations,
        key: NamespacedKey(namespace: request.namespace, key: annotations.key), deadline: deadline)
      return try await decision.decide()
    } catch let fault as PodAnnotations.Fault {
      return refuse(fault.outcome, .denied(fault.message), key, pod)
    } catch let fault as any ClaimFault {
      return refuse(fault.outcome, .failed(fault.description), key, pod)
    } catch {
      return refuse(.ambiguous, .denied("the Pod cannot be read: \(error)"), key, pod)
    }
  }

  /// The Pod, if this request is the creation of one that asks for the hook.
  private func guardedPod(_ request: AdmissionRequest) throws -> GuardedPod? {
    guard request.operation == "CREATE", request.kind.kind == "Pod", request.kind.group.isEmpty,
      let object = request.object,
      let annotations = try object.field("metadata", "annotations"),
      try annotations.field(identity.guardAnnotation)?.string == "true",
      // The API server's image of a static Pod: the kubelet runs it whatever we say.
      try annotations.field("kubernetes.io/config.mirror") == nil
    else { return nil }
    return try GuardedPod(PodManifest(object), annotations: annotations)
  }

  private func refuse(
    _ outcome: AdmissionOutcome, _ response: AdmissionResponse, _ key: NamespacedKey?, _ pod: String
  ) -> Verdict {
    Verdict(response: response, outcome: outcome, key: key, pod: pod, claim: nil)
  }
}

/// A Pod that asks for the hook.
struct GuardedPod {
  let manifest: PodManifest
  let annotations: JSONNode
  let name: String
  let isGeneratedName: Bool
  let owner: String?

  init(_ manifest: PodManifest, annotations: JSONNode) throws(JSONError) {
    self.manifest = manifest
    self.annotations = annotations
    (name, isGeneratedName) = try manifest.name()
    owner = try manifest.owner()
  }

  var displayName: String { isGeneratedName ? name + "…" : name }
}

extension PodAnnotations.Fault {
  fileprivate var outcome: AdmissionOutcome {
    switch self {
    case .key: .invalidKey
    case .length: .invalidLength
    case .expiration: .invalidExpiration
    case .policy: .invalidPolicy
    }
  }
}
