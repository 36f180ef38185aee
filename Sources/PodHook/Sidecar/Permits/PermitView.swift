import Coordination
import Synchronization

/// What the sidecar says of its permit to probes and to the application.
///
/// A permit counts as held until the store says otherwise: who cannot reach the store runs on.
final class PermitView: Sendable {
  private struct State {
    var token: Token?
    var isHeld = false
    var isOpen = false
    var heartbeatAt: Duration?
  }

  private let state = Mutex(State())

  /// The store has confirmed the permit.
  /// - Parameter sentAt: from before it was asked.
  func hold(_ token: Token, sentAt: Duration) {
    state.withLock {
      $0.token = token
      $0.isHeld = true
      $0.heartbeatAt = sentAt
    }
  }

  /// The application runs already, by a permit that the store has not yet confirmed to this sidecar.
  func assume() {
    state.withLock {
      $0.isHeld = true
      $0.isOpen = true
    }
  }

  /// The application may start.
  func open() { state.withLock { $0.isOpen = true } }

  /// The permit is not ours any more.
  func drop() {
    state.withLock {
      $0.isHeld = false
      $0.token = nil
      $0.heartbeatAt = nil
    }
  }

  var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Nil: there is none.
  var token: Token? { state.withLock { $0.token } }

  var isHeld: Bool { state.withLock { $0.isHeld } }

  /// When the store last confirmed the permit; nil: it has not.
  var heartbeatAt: Duration? { state.withLock { $0.heartbeatAt } }
}
