import EventLoops
package import Logging
package import NIOCore
package import RedisClient
import Synchronization

/// Locks on N independent Redis servers: the Redlock algorithm
/// (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/) with fencing tokens.
///
/// A lock is granted when a quorum of servers set it for us and its time to live is not used up.
/// Servers are asked in parallel, each within its own short time, and a decision falls as soon as a
/// quorum has made it: a slow or dead server of three changes nothing.
package final class RedlockStore: LockStore {
  package struct Configuration: Sendable {
    /// Goes in front of every key in Redis.
    package var keyPrefix = ""
    /// How long one server may take for one command.
    package var nodeTimeout = Duration.milliseconds(500)
    /// The longest first pause between two attempts that split the vote; doubles up to eight times
    /// that.
    package var retryDelay = Duration.milliseconds(40)

    package init() {}

    /// Longer than any attempt waits for the servers' answers, also one by a process that gives
    /// them more time than this one does.
    var attemptTime: Duration { nodeTimeout * 10 }
  }

  let configuration: Configuration
  /// The servers, once for each event loop that has connections of its own to them.
  private let lanes: EventLoopLanes<[RedlockNode]>
  let time: any MonotonicTime
  let logger: Logger
  let strayTokens = Mutex(StrayTokens())
  private let giveBacks = GiveBacks<GiveBack>.atRedis

  /// The servers, by the first lane.
  var nodes: [RedlockNode] { lanes[0] }
  var quorum: Int { nodes.count / 2 + 1 }

  /// Connections on one event loop: what runs there uses them without a change of thread.
  package struct Lane: Sendable {
    let eventLoop: any EventLoop
    let clients: [RedisClient]

    /// - Parameter clients: one for each server, in the same order in every lane.
    package init(eventLoop: any EventLoop, clients: [RedisClient]) {
      self.eventLoop = eventLoop
      self.clients = clients
    }
  }

  /// - Parameter lanes: at least one; the store runs their clients.
  package init(
    lanes: [Lane], configuration: Configuration = Configuration(),
    time: any MonotonicTime = SystemTime(), logger: Logger
  ) {
    self.configuration = configuration
    self.time = time
    self.logger = logger
    self.lanes = EventLoopLanes(lanes.map { ($0.eventLoop, $0.clients.map(RedlockNode.init)) })
  }

  var currentLane: Int { lanes.current }

  package func run() async throws {
    await giveBacks.run(over: lanes.all.joined().map(\.server.client), time: time) {
      (item, timeout) async throws(RedisError) in
      _ = try await self.lanes[item.lane][item.node].release(
        self.keys(of: item.key), token: item.token, podUID: item.podUID, timeout: timeout)
    }
  }

  func keys(of key: NamespacedKey) -> RedlockKeys {
    RedlockKeys(prefix: configuration.keyPrefix, key: key)
  }

  /// What is left for one command until `deadline`.
  func timeout(until deadline: Duration) -> Duration {
    min(configuration.nodeTimeout, deadline - time.now)
  }

  /// A lock's life without drift: 1 % of it and 2 ms.
  func validity(of ttl: Duration) -> Duration { ttl - ttl / 100 - .milliseconds(2) }

  func unavailable(_ tally: QuorumTally, _ key: NamespacedKey?) -> StoreError {
    error(Task.isCancelled ? .cancelled : .noQuorum, tally, key)
  }

  func contended(_ tally: QuorumTally, _ key: NamespacedKey) -> StoreError {
    error(.contended, tally, key)
  }

  private func error(
    _ kind: StoreError.Kind, _ tally: QuorumTally, _ key: NamespacedKey?
  ) -> StoreError {
    let failures = tally.failures.sorted { $0.node < $1.node }
    return StoreError(
      kind, key: key, quorum: quorum, members: nodes.count,
      failures: failures.map { .init(member: nodes[$0.node].name, reason: $0.reason) })
  }

  /// Asks all servers at once and counts until `isDecided`.
  /// - Parameter lane: nil: that of the current event loop.
  func ask(
    on lane: Int? = nil,
    _ question: @escaping @Sendable (RedlockNode) async throws(RedisError) -> RedlockNode.Verdict,
    until isDecided: (QuorumTally) -> Bool
  ) async -> QuorumTally {
    let nodes = lanes[lane ?? currentLane]
    var tally = QuorumTally(members: nodes.count)
    if nodes.count == 1 {
      tally.add(await Self.result(of: question, from: nodes[0]), from: 0)
      return tally
    }
    await withTaskGroup(of: (Int, Result<RedlockNode.Verdict, RedisError>).self) { group in
      for (index, node) in nodes.enumerated() {
        group.addTask { (index, await Self.result(of: question, from: node)) }
      }
      for await (node, result) in group {
        tally.add(result, from: node)
        if isDecided(tally) {
          // Those still waiting for an answer give up the answer, not what they sent.
          group.cancelAll()
          break
        }
      }
    }
    return tally
  }

  private static func result(
    of question: @Sendable (RedlockNode) async throws(RedisError) -> RedlockNode.Verdict,
    from node: RedlockNode
  ) async -> Result<RedlockNode.Verdict, RedisError> {
    do throws(RedisError) {
      return .success(try await question(node))
    } catch {
      return .failure(error)
    }
  }
}

extension QuorumTally {
  fileprivate mutating func add(
    _ result: Result<RedlockNode.Verdict, RedisError>, from node: Int
  ) {
    switch result {
    case .success(let verdict): add(verdict, from: node)
    case .failure(let error):
      add(failure: error.reason, mayHaveRun: error.mayHaveRun, from: node)
    }
  }
}

// MARK: - Giving back

extension RedlockStore {
  struct GiveBack: Sendable {
    let key: NamespacedKey
    let token: Token
    let podUID: String?
    /// Where it may be.
    let node: Int
    /// On whose connections it was asked for: there the release follows the request.
    let lane: Int
  }

  package func giveBack(_ key: NamespacedKey, token: Token, podUID: String?) {
    giveBack(key, token: token, podUID: podUID, on: Array(nodes.indices), lane: currentLane)
  }

  func giveBack(_ key: NamespacedKey, token: Token, podUID: String?, on nodes: [Int], lane: Int) {
    for node in nodes {
      giveBacks.add(GiveBack(key: key, token: token, podUID: podUID, node: node, lane: lane))
    }
  }
}
