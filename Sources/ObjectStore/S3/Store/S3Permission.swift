import Synchronization

/// Whether something is allowed, for as long as that is believed.
final class S3Permission: Sendable {
  private static let seconds: Int64 = 60

  private let state = Mutex<(isAllowed: Bool, until: Int64)?>(nil)

  func known(at now: Int64) -> Bool? {
    state.withLock { $0.flatMap { now < $0.until ? $0.isAllowed : nil } }
  }

  func remember(_ isAllowed: Bool, at now: Int64) {
    state.withLock { $0 = (isAllowed, now + Self.seconds) }
  }
}
