package import EtcdClient
package import Logging
import ServiceLifecycle
import Synchronization

/// Locks in an etcd cluster, in the layout of etcd's own concurrency recipe.
///
/// A lock is a key below `<namespace>/<key>/` with a lease; the contender whose key has the lowest
/// create revision is the owner. The token is that key, the fencing token its create revision. Every
/// decision is one transaction, which etcd takes by a majority of its members.
///
/// A call that a member does not answer is repeated at the next one, so each change is written such
/// that a repetition, even a very late one, changes nothing: values are unique to their attempt, and
/// an attempt that was given up is declared void.
package final class EtcdLockStore: LockStore {
  package struct Configuration: Sendable {
    /// Goes in front of every key in etcd.
    package var keyPrefix = ""

    package init() {}
  }

  /// What is known of a lock that this process holds.
  struct Held: Sendable {
    let lease: EtcdLease
    /// What was asked for; the server may have granted more.
    let requestedTTL: Duration
    var openedRenewedAt: Duration?
  }

  let client: EtcdClient
  let configuration: Configuration
  let time: any MonotonicTime
  let logger: Logger
  let pool: LeasePool
  /// By the bytes of the token: etcd takes names for different that Swift takes for equal.
  let held = Mutex<[[UInt8]: Held]>([:])
  private let givenBack: AsyncStream<GiveBack>
  private let giveBacks: AsyncStream<GiveBack>.Continuation

  /// How long one call may take that no caller's deadline limits.
  static let ownDeadline = Duration.seconds(5)

  /// - Parameter client: the store runs it. ``EtcdClient/measured(configuration:eventLoopGroup:logger:)``
  ///   makes one that counts in metrics.
  package init(
    client: EtcdClient, configuration: Configuration = Configuration(),
    time: any MonotonicTime = SystemTime(), logger: Logger
  ) {
    self.client = client
    self.configuration = configuration
    self.time = time
    self.logger = logger
    pool = LeasePool(time: time) { ttl, timeout in
      let start = time.now
      do throws(EtcdError) {
        let grant = try await client.grantLease(ttl: ttl, timeout: timeout)
        return .success(LeasePool.Lease(lease: grant.lease, start: start, ttl: grant.ttl))
      } catch {
        return .failure(error)
      }
    }
    // What does not fit frees itself when its time to live runs out.
    (givenBack, giveBacks) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
  }

  package func run() async throws {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.client.runUntilCancelled() }
      // At a graceful shutdown, first what is still to be given back, then the connections.
      await withGracefulShutdownHandler {
        await runGiveBacks()
      } onGracefulShutdown: { [giveBacks] in
        giveBacks.finish()
      }
      group.cancelAll()
    }
  }

  func keys(of key: NamespacedKey) -> EtcdLockKeys {
    EtcdLockKeys(prefix: configuration.keyPrefix, key: key)
  }

  func timeout(until deadline: Duration) -> Duration { max(.zero, deadline - time.now) }

  /// A lease's life without drift: 1 % of it and 2 ms.
  func validity(of ttl: Duration) -> Duration { ttl - ttl / 100 - .milliseconds(2) }

  func storeError(_ error: EtcdError, _ key: NamespacedKey?) -> StoreError {
    let members = client.addresses.count
    var failures = error.failures.map {
      StoreError.MemberFailure(member: $0.member, reason: $0.reason)
    }
    if failures.isEmpty { failures = [.init(member: "etcd", reason: error.message)] }
    return StoreError(
      error.kind == .cancelled || Task.isCancelled ? .cancelled : .noQuorum, key: key,
      quorum: members / 2 + 1, members: members, failures: failures)
  }

  func late(_ key: NamespacedKey) -> StoreError {
    storeError(EtcdError(.unavailable, "the answer came too late"), key)
  }

  /// The contender that has the lock.
  func owner(
    _ keys: EtcdLockKeys, deadline: Duration
  ) async throws(EtcdError) -> LockOwnership? {
    let range = EtcdRange(.prefix(keys.contenders), limit: 1, order: .createRevision)
    let first = try await client.range(range, timeout: timeout(until: deadline)).keyValues.first
    guard let first else { return nil }
    return await ownership(EtcdLockEntry(first), deadline: deadline)
  }

  /// With the time that is left of its lease, if that can be learnt.
  func ownership(_ entry: EtcdLockEntry, deadline: Duration) async -> LockOwnership {
    var timeLeft: Duration?
    if let lease = entry.keyValue.lease {
      timeLeft = try? await client.timeToLive(of: lease, timeout: timeout(until: deadline)).timeLeft
    }
    return LockOwnership(record: entry.record, timeLeft: timeLeft)
  }

  // MARK: Giving back

  enum GiveBack: Sendable {
    case lock(NamespacedKey, Token, podUID: String?)
    /// An attempt that may be under way: its key with exactly this value, and its future.
    case attempt(Attempt)
    case lease(EtcdLease)
  }

  package func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    giveBack(.lock(key, token, podUID: podUID))
  }

  func giveBack(_ item: GiveBack) { giveBacks.yield(item) }

  /// What is given back at once.
  private static let giveBackConcurrency = 64

  /// Returns once the stream has ended and all that was in it is given back, or on cancellation.
  private func runGiveBacks() async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await item in givenBack {
        if running >= Self.giveBackConcurrency {
          await group.next()
          running -= 1
        }
        group.addTask { await self.perform(item) }
        running += 1
      }
    }
  }

  private func perform(_ item: GiveBack) async {
    // At the end of the process nobody waits long for an etcd that is away.
    let timeout = Task.isShuttingDownGracefully ? .seconds(1) : Self.ownDeadline
    do {
      switch item {
      case .lock(let key, let token, let podUID):
        _ = try await release(key, token: token, podUID: podUID, deadline: time.now + timeout)
      case .attempt(let attempt): try await void(attempt, timeout: timeout)
      case .lease(let lease): try await client.revoke(lease, timeout: timeout)
      }
    } catch {
      // It frees itself when its lease runs out.
      logger.info("lock could not be given back", metadata: ["reason": "\(error)"])
    }
  }
}
