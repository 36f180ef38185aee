import EtcdClient
import Synchronization

/// Leases for claims, shared by those that are made within a second, so that granting one does not
/// cost every claim a write of its own.
///
/// A lease is handed out at most once for a key: the name that a contender's key gets from it, which
/// is its token, must never come twice.
final class LeasePool: Sendable {
  /// A lease and since when it runs, at the latest.
  struct Lease: Sendable {
    let lease: EtcdLease
    let start: Duration
    let ttl: Duration
  }

  private struct Current {
    var lease: Lease
    var usedKeys: Set<NamespacedKey> = []
  }

  private struct State {
    var current: [Duration: Current] = [:]
    var granting: [Duration: Task<Result<Lease, EtcdError>, Never>] = [:]
  }

  /// How long a lease is handed out. It is granted for so much longer than was asked for.
  static let sharingTime = Duration.seconds(1)
  /// Times to live that are in use at once; more are a mistake, and forgotten.
  private static let capacity = 64

  private let state = Mutex(State())
  private let time: any MonotonicTime
  private let grant: @Sendable (Duration) async -> Result<Lease, EtcdError>

  init(
    time: any MonotonicTime, grant: @escaping @Sendable (Duration) async -> Result<Lease, EtcdError>
  ) {
    self.time = time
    self.grant = grant
  }

  /// A lease that lives for at least `ttl` and was never handed out for this key.
  func lease(for key: NamespacedKey, ttl: Duration) async throws(EtcdError) -> Lease {
    while true {
      let now = time.now
      enum Next {
        case use(Lease)
        case wait(Task<Result<Lease, EtcdError>, Never>)
      }
      let next: Next = state.withLock { state in
        if let running = state.granting[ttl] { return .wait(running) }
        if var current = state.current[ttl], now - current.lease.start < Self.sharingTime,
          current.usedKeys.insert(key).inserted
        {
          state.current[ttl] = current
          return .use(current.lease)
        }
        // Shared by all who wait for it, so it cannot be the child of one of them. It ends by the
        // deadline of the call that it makes.
        let task = Task { [grant] in
          let result = await grant(ttl + Self.sharingTime)
          self.state.withLock { state in
            state.granting[ttl] = nil
            if state.current.count >= Self.capacity { state.current = [:] }
            if case .success(let lease) = result { state.current[ttl] = Current(lease: lease) }
          }
          return result
        }
        state.granting[ttl] = task
        return .wait(task)
      }
      switch next {
      case .use(let lease): return lease
      case .wait(let task):
        if Task.isCancelled { throw EtcdError(.cancelled, "given up") }
        _ = try await task.value.get()
      }
    }
  }

  /// The key was certainly not made with this lease: it may be used for it again.
  func putBack(_ lease: EtcdLease, for key: NamespacedKey, ttl: Duration) {
    state.withLock { state in
      if state.current[ttl]?.lease.lease == lease { state.current[ttl]?.usedKeys.remove(key) }
    }
  }

  /// The server does not know the lease any more.
  func drop(_ lease: EtcdLease, ttl: Duration) {
    state.withLock { state in
      if state.current[ttl]?.lease.lease == lease { state.current[ttl] = nil }
    }
  }
}
