/// Why a server or process on this machine could not be had.
package struct LocalServersError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// An executable is not installed or not built; the message says how to get it.
    case missingExecutable
    /// A process ended although it should be running; the message carries its last lines.
    case ended
    /// Something awaited did not happen in time.
    case deadline
    /// The operating system refused something.
    case system
    /// The scope that owned the process is over.
    case scopeOver
  }

  package let kind: Kind
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package var description: String { message }
}
