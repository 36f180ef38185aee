package import EtcdClient
package import Logging
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
package final class EtcdLockStore: LockStore, EtcdStore {
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
  private let giveBacks = GiveBacks<GiveBack>.atEtcd

  var keyPrefix: String { configuration.keyPrefix }

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
    pool = LeasePool(client: client, time: time)
  }

  package func run() async throws {
    await giveBacks.run(over: client, logger: logger) { try await self.perform($0, timeout: $1) }
  }

  func keys(of key: NamespacedKey) -> EtcdLockKeys {
    EtcdLockKeys(prefix: keyPrefix, key: key)
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

  func giveBack(_ item: GiveBack) { giveBacks.add(item) }

  private func perform(_ item: GiveBack, timeout: Duration) async throws {
    switch item {
    case .lock(let key, let token, let podUID):
      _ = try await release(key, token: token, podUID: podUID, deadline: time.now + timeout)
    case .attempt(let attempt): try await void(attempt, timeout: timeout)
    case .lease(let lease): try await client.revoke(lease, timeout: timeout)
    }
  }
}
