/// Why the stand-in for a cluster could not do what was asked. A refused Pod is a ``PodRefusal``.
package struct LocalKubeletError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// A manifest that this stand-in cannot read; the message names the place.
    case manifest
    /// The webhook did not answer as an admission webhook does.
    case webhook
    /// The sidecar did not answer, or not as it should.
    case sidecar
  }

  package let kind: Kind
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package var description: String { message }
}

/// A Pod that admission refused: what kubectl would show.
package struct PodRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// 403 for a decision, 500 for a failure.
  package let code: Int
  package let message: String

  package var description: String { message }
}
