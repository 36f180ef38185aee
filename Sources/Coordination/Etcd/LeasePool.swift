import EtcdClient
import Synchronization

/// Leases for claims, shared by those that are made within a second, so that granting one does not
/// cost every claim a write of its own.
///
/// For locks a lease is handed out at most once for a key: the name that a contender's key gets from
/// it, which is its token, must never come twice.
final class LeasePool: Sendable {
  /// A lease and since when it runs, at the latest.
  struct Lease: Sendable {
    let lease: EtcdLease
    let start: Duration
    let ttl: Duration
  }

  private typealias Grant = SharedAnswer<Result<Lease, EtcdError>>

  private struct Current {
    var lease: Lease
    var usedKeys: Set<NamespacedKey> = []
  }

  private struct State {
    var current: [Duration: Current] = [:]
    var granting: [Duration: Grant] = [:]
  }

  /// How long a lease is handed out. It is granted for so much longer than was asked for.
  static let sharingTime = Duration.seconds(1)
  /// Times to live that are in use at once; more are a mistake, and forgotten.
  private static let capacity = 64
  /// How long granting one may take, for all who wait for it.
  private static let grantTime = Duration.seconds(5)

  private let state = Mutex(State())
  private let time: any MonotonicTime
  /// Asks for a lease with a time to live, within a time-out.
  private let grant: @Sendable (Duration, Duration) async -> Result<Lease, EtcdError>

  init(
    time: any MonotonicTime,
    grant: @escaping @Sendable (Duration, Duration) async -> Result<Lease, EtcdError>
  ) {
    self.time = time
    self.grant = grant
  }

  convenience init(client: EtcdClient, time: any MonotonicTime) {
    self.init(time: time) { ttl, timeout in
      let start = time.now
      do throws(EtcdError) {
        let grant = try await client.grantLease(ttl: ttl, timeout: timeout)
        return .success(Lease(lease: grant.lease, start: start, ttl: grant.ttl))
      } catch {
        return .failure(error)
      }
    }
  }

  /// A lease that lives for at least `ttl`; nil if the current one was handed out for this key
  /// already: several want the same lock, and each of the others needs a lease of its own.
  func lease(
    for key: NamespacedKey, ttl: Duration, deadline: Duration
  ) async throws(EtcdError) -> Lease? {
    let lease = try await lease(ttl: ttl, deadline: deadline)
    // In place: a copy of so many keys for each claim would cost more than the claim.
    let isNew = state.withLock { state in
      guard state.current[ttl]?.lease.lease == lease.lease else { return false }
      return state.current[ttl]?.usedKeys.insert(key).inserted == true
    }
    return isNew ? lease : nil
  }

  /// A lease that lives for `ttl` at least, unless etcd is slow to grant it, shared with all who ask
  /// at about the same time.
  func lease(ttl: Duration, deadline: Duration) async throws(EtcdError) -> Lease {
    while true {
      let now = time.now
      enum Next {
        case use(Lease)
        case wait(Grant, isOurs: Bool)
      }
      let next: Next = state.withLock { state in
        if let running = state.granting[ttl] { return .wait(running, isOurs: false) }
        if let lease = state.current[ttl]?.lease, now - lease.start < Self.sharingTime {
          return .use(lease)
        }
        // It ends a little before who began it gives up, so that its reasons are heard.
        let timeout = min(Self.grantTime, (deadline - now) * 0.9)
        let granting = Grant { [grant] in
          let result = await grant(ttl + Self.sharingTime, timeout)
          self.state.withLock { state in
            state.granting[ttl] = nil
            if state.current.count >= Self.capacity { state.current = [:] }
            if case .success(let lease) = result { state.current[ttl] = Current(lease: lease) }
          }
          return result
        }
        state.granting[ttl] = granting
        return .wait(granting, isOurs: true)
      }
      switch next {
      case .use(let lease): return lease
      case .wait(let granting, let isOurs):
        guard deadline > now, let result = await granting.value(within: deadline - now) else {
          throw Task.isCancelled
            ? EtcdError(.cancelled, "given up")
            : EtcdError(.unavailable, "no lease was granted in time")
        }
        switch result {
        // Also one that took longer to be granted than it is shared: the next would not be faster.
        case .success(let lease): return lease
        // Another's deadline may have been shorter than ours.
        case .failure(let error): if isOurs || error.kind != .unavailable { throw error }
        }
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
