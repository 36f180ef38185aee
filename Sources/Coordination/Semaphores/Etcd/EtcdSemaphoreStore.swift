package import EtcdClient
package import Logging
import Synchronization

/// Permits in an etcd cluster (``EtcdSemaphoreKeys``).
///
/// A permit in flight has a lease: a heartbeat keeps it alive, and when it runs out etcd itself takes
/// the permit away; the next settling finds that it is missing and puts a free one into the queue.
/// So no holder is ever stale, there are only those that live and those that were reclaimed.
///
/// Every change is one transaction, which etcd takes by a majority of its members. A call that a
/// member does not answer is repeated at the next one, so each change depends on a name that never
/// comes twice, or on the revision of the record: a repetition, even a very late one, changes
/// nothing.
package final class EtcdSemaphoreStore: SemaphoreStore, EtcdStore {
  package struct Configuration: Sendable {
    /// Goes in front of every key in etcd.
    package var keyPrefix = ""
    /// How long after its last heartbeat a holder counts as dead. Whole seconds, rounded up; etcd
    /// grants more if that is less than one and a half of its election time-outs.
    package var staleAfter = Duration.seconds(120)

    package init() {}
  }

  /// What is known of a permit that this process holds.
  struct Held: Sendable {
    let lease: EtcdLease
    /// What the server granted.
    let ttl: Duration
    /// Until when the permit was certainly ours, by its last heartbeat.
    let validUntil: Duration
    let podUID: String?
  }

  let client: EtcdClient
  let configuration: Configuration
  let time: any MonotonicTime
  let logger: Logger
  let pool: LeasePool
  /// By the name in etcd.
  let held = Mutex<[[UInt8]: Held]>([:])
  /// When the lease of a semaphore's record was last kept alive, by the record's name.
  let kept = Mutex<[[UInt8]: Duration]>([:])
  private let giveBacks = GiveBacks<GiveBack>.atEtcd

  package var staleAfter: Duration { configuration.staleAfter }
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

  func keys(of key: NamespacedKey) -> EtcdSemaphoreKeys {
    EtcdSemaphoreKeys(prefix: keyPrefix, key: key)
  }

  /// A read or a change that may be asked of several members.
  func transact(
    _ transaction: EtcdTransaction, _ deadline: Duration
  ) async throws(EtcdError) -> EtcdTransactionResult {
    try await client.transaction(
      transaction, isRepeatable: true, timeout: timeout(until: deadline))
  }

  // MARK: Giving back

  enum GiveBack: Sendable {
    case permit(NamespacedKey, Token, podUID: String?)
    /// An attempt that may be under way: its permit, and its future.
    case attempt(Attempt)
    case lease(EtcdLease)
  }

  package func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    giveBack(.permit(key, token, podUID: podUID))
  }

  func giveBack(_ item: GiveBack) { giveBacks.add(item) }

  private func perform(_ item: GiveBack, timeout: Duration) async throws {
    switch item {
    case .permit(let key, let token, let podUID):
      if try await release(key, token: token, podUID: podUID, deadline: time.now + timeout) {
        logger.info("permit given back", metadata: ["key": "\(key)"])
      }
    case .attempt(let attempt): try await void(attempt, deadline: time.now + timeout)
    case .lease(let lease): try await client.revoke(lease, timeout: timeout)
    }
  }

  // MARK: What is known of held permits

  /// Permits that one process holds; beyond that, what is known is learnt anew.
  private static let capacity = 10_000

  func remember(_ name: String, _ permit: Held) {
    held.withLock { held in
      if held.count >= Self.capacity { held = [:] }
      held[Array(name.utf8)] = permit
    }
  }

  func known(_ name: String) -> Held? { held.withLock { $0[Array(name.utf8)] } }

  func forget(_ name: String) { held.withLock { $0[Array(name.utf8)] = nil } }

  // MARK: Records that live

  /// How long a record and the queue outlive the last use. Losing them is harmless: the queue only
  /// stands for `length − in flight`, and the next settling makes it anew; the sums begin again.
  static let retention = Duration.seconds(86_400)
  private static let renewal = Duration.seconds(3600)

  /// Keeps a semaphore's record and queue alive, once after a start and then hourly. A failure is
  /// made good by the next time.
  ///
  /// They share one lease for each key, which stands at the record, so that all go at once and
  /// everybody who uses the key keeps it alive; were it one for each process, the placeholders of one
  /// that ended would vanish from a queue that is in use, and look reclaimed.
  ///
  /// - Parameter lease: that of the record, if it is known.
  func keepRecord(_ keys: EtcdSemaphoreKeys, _ lease: EtcdLease?, deadline: Duration) async {
    let name = Array(keys.record.utf8)
    let now = time.now
    let isDue = kept.withLock { kept in
      if let last = kept[name], now - last < Self.renewal { return false }
      if kept.count >= Self.capacity { kept = [:] }
      kept[name] = now
      return true
    }
    guard isDue else { return }
    do throws(EtcdError) {
      var lease = lease
      if lease == nil {
        let record = EtcdRange(.key(name), keysOnly: true)
        lease = try await client.range(record, timeout: timeout(until: deadline)).keyValues.first?
          .lease
      }
      guard let lease else { return }
      _ = try await client.keepAlive(lease, timeout: timeout(until: deadline))
    } catch {
      kept.withLock { $0[name] = nil }
      logger.info("semaphore's record could not be kept", metadata: ["reason": "\(error)"])
    }
  }
}
