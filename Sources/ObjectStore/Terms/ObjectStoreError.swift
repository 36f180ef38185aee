/// The store did not do what was asked.
package struct ObjectStoreError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// The condition of a write does not hold. Nothing was changed.
    case conditionFailed
    /// The body that was to be stored broke off: its source threw. Nothing was changed.
    case sourceFailed
    /// The body that was to be stored is larger than allowed. Nothing was changed.
    case tooLarge
    /// No room left. Nothing was changed.
    case full
    /// The store knows who asks, and refuses; or it does not know.
    case denied
    /// The store did not answer, or not with what it should. Trying again may help.
    case unavailable
    /// Too much at once: trying again later helps.
    case busy
    /// What is stored is damaged.
    case corrupt
    /// The caller gave up.
    case cancelled
  }

  package let kind: Kind
  /// One line for people, without secrets: what was tried, who refused, what to do.
  package let message: String
  /// Whether a write may have been done, or may yet be.
  package let mayHaveRun: Bool
  package let cause: (any Error)?

  package init(
    _ kind: Kind, _ message: String, mayHaveRun: Bool = false, cause: (any Error)? = nil
  ) {
    self.kind = kind
    self.message = message
    self.mayHaveRun = mayHaveRun
    self.cause = cause
  }

  package var description: String { message }
}
