/// Why a process cannot start or go on, in words for whoever runs it.
///
/// ``CommandLineProgram`` prints the message as one line and exits with 1.
package struct FatalError: Error, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    /// Another process listens where this one should.
    case addressInUse
    /// The address cannot be bound: no such interface, no permission, an unknown name.
    case addressUnavailable
    /// A certificate, its key or a CA file is missing or unusable.
    case certificates
    /// A part that the process cannot do without has ended.
    case serviceFailed
    /// Whatever the executable says: prefer a code above if one fits.
    case other
  }

  package let code: Code

  /// What happened and what to do about it: one sentence, no secrets.
  package let message: String

  /// The error underneath, if there is one. It is not printed: the message says what matters.
  package let cause: (any Error)?

  package init(_ message: String, code: Code = .other, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  package var description: String { message }
}

/// Ends the process with an exit code of its own choice and prints nothing.
package struct ExitWithCode: Error, Hashable, Sendable {
  package let code: Int32

  package init(_ code: Int32) { self.code = code }
}
