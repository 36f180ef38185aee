import Coordination
import Synchronization

/// What the sidecar says of its lock to probes and to the application.
///
/// Whether the lock is held is decided when somebody asks: a sidecar that was frozen and wakes up
/// says no before it has done anything else.
final class LockView: Sendable {
  struct Status: Sendable, Hashable {
    let isHeld: Bool
    let fencingToken: UInt64?
    /// On the store's clock.
    let validUntil: Duration?
  }

  private struct State {
    var lease: LockLease?
    /// The token of the last lease, kept for its release.
    var token: Token?
    var giveUpAt = Duration.zero
    var isOpen = false
  }

  private let state = Mutex(State())

  /// The lock is ours until `giveUpAt`.
  func hold(_ lease: LockLease, until giveUpAt: Duration) {
    state.withLock {
      $0.lease = lease
      $0.token = lease.token
      $0.giveUpAt = giveUpAt
    }
  }

  /// The application may start: the store knows that it does.
  func open() { state.withLock { $0.isOpen = true } }

  /// The lock is not ours any more, or not for sure.
  func drop() { state.withLock { $0.lease = nil } }

  /// The token of the last lease, also after it was dropped.
  var token: Token? { state.withLock { $0.token } }

  var isOpen: Bool { state.withLock { $0.isOpen } }

  func status(at now: Duration) -> Status {
    state.withLock { state in
      guard let lease = state.lease, now < state.giveUpAt else {
        return Status(isHeld: false, fencingToken: nil, validUntil: nil)
      }
      return Status(
        isHeld: true, fencingToken: lease.fencingToken, validUntil: lease.validUntil)
    }
  }
}
