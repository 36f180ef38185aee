package import Coordination

/// What a hook takes from its stores for the Pods that it admits: locks, or permits of semaphores.
///
/// Calls take deadlines on the stores' ``MonotonicTime``, and throw `StoreError` or another
/// ``ClaimFault`` when no decision could be taken.
package protocol Claims: Sendable {
  /// What has to run and to answer for this to work.
  var stores: [any CoordinationStore] { get }
  var annotationRules: PodAnnotations.Rules { get }

  /// Takes a claim, which the Pod's sidecar binds to the Pod later.
  func take(
    _ key: NamespacedKey, _ annotations: PodAnnotations, for holder: Holder, deadline: Duration
  ) async throws -> ClaimAnswer

  /// What ``take(_:_:for:deadline:)`` would answer now; changes nothing.
  func rehearse(
    _ key: NamespacedKey, _ annotations: PodAnnotations, for holder: Holder, deadline: Duration
  ) async throws -> ClaimAnswer

  /// For whom a claim was taken that no sidecar has bound; nil: there is no such claim.
  func claimant(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws -> Holder?

  /// Gives a claim back in the background.
  func giveBack(_ key: NamespacedKey, token: Token)

  /// What the sidecar must be told, apart from key and token.
  /// - Parameter otherContainers: how many containers the Pod has beside the sidecar.
  func sidecarTerms(_ annotations: PodAnnotations, otherContainers: Int) -> SidecarTerms
}

package enum ClaimAnswer: Sendable {
  /// - Parameter fencingToken: nil where there is none.
  case granted(Token, fencingToken: UInt64?)
  /// There is nothing for this Pod now; the outcome and the sentence for its user.
  case refused(AdmissionOutcome, String)

  /// Stands for a token in the answer to a dry run. No store ever holds it.
  static let placeholder = Token(String(repeating: "0", count: 32))
}

/// The part of a sidecar's command line that depends on the Pod's annotations.
package struct SidecarTerms: Sendable {
  var arguments: [String]
  /// What the user should know.
  var warnings: [String] = []
}

/// Why no decision could be taken.
package protocol ClaimFault: Error, CustomStringConvertible {
  var outcome: AdmissionOutcome { get }
}

extension StoreError: ClaimFault {
  package var outcome: AdmissionOutcome { .storeUnavailable }
}
