import Synchronization

/// How the parts of a process ended: the first that failed or chose an exit code decides.
final class ServiceOutcome: Sendable {
  enum Ending: Sendable {
    /// A part that may end has ended, or the process was told to stop.
    case finished
    case exit(ExitWithCode)
    case failed(service: String, any Error)
  }

  private let ending = Mutex<Ending?>(nil)

  /// Notes an ending, unless a failure or an exit code is noted already.
  func note(_ new: Ending) {
    ending.withLock { ending in
      switch ending {
      case nil, .finished: ending = new
      case .exit, .failed: break
      }
    }
  }

  /// Turns what was noted into what a caller sees.
  func get() throws {
    switch ending.withLock({ $0 }) {
    case nil, .finished: return
    case .exit(let error): throw error
    case .failed(let service, let error): throw Self.failure(of: service, error)
    }
  }

  private static func failure(of service: String, _ error: any Error) -> FatalError {
    if let error = error as? FatalError { return error }
    return FatalError("the part '\(service)' failed: \(error)", code: .serviceFailed, cause: error)
  }
}
