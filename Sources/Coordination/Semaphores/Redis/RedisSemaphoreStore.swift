import EventLoops
package import Logging
package import NIOCore
package import RedisClient
import RESP

/// Permits on one Redis server, in a layout that other implementations share
/// (``RedisSemaphoreKeys``).
package final class RedisSemaphoreStore: SemaphoreStore {
  package struct Configuration: Sendable {
    /// Goes in front of every key in Redis.
    package var keyPrefix = ""
    /// How long the server may take for one command.
    package var commandTimeout = Duration.milliseconds(500)
    /// How long after its last heartbeat a holder counts as dead.
    package var staleAfter = Duration.seconds(120)
    /// Whether settling takes permits from holders that count as dead. Only for who knows
    /// `staleAfter` as the holders do: a command that an operator runs may not.
    package var isReclaiming = true

    package init() {}
  }

  /// A connection on one event loop: what runs there uses it without a change of thread.
  package struct Lane: Sendable {
    let eventLoop: any EventLoop
    let client: RedisClient

    package init(eventLoop: any EventLoop, client: RedisClient) {
      self.eventLoop = eventLoop
      self.client = client
    }
  }

  struct GiveBack: Sendable {
    let key: NamespacedKey
    let token: Token
    let podUID: String?
    /// On whose connection the permit was asked for: there the release follows the request.
    let lane: Int
  }

  let configuration: Configuration
  /// The server, once for each event loop that has a connection of its own to it.
  let lanes: EventLoopLanes<RedisNode>
  let giveBacks = GiveBacks<GiveBack>.atRedis
  private let time: any MonotonicTime
  private let logger: Logger

  package var staleAfter: Duration { configuration.staleAfter }

  /// - Parameter lanes: at least one, all to the same server; the store runs their clients.
  package init(
    lanes: [Lane], configuration: Configuration = Configuration(),
    time: any MonotonicTime = SystemTime(), logger: Logger
  ) {
    self.configuration = configuration
    self.lanes = EventLoopLanes(lanes.map { ($0.eventLoop, RedisNode(client: $0.client)) })
    self.time = time
    self.logger = logger
  }

  package func run() async throws {
    await giveBacks.run(over: lanes.all.map(\.client), time: time) {
      (item, timeout) async throws(RedisError) in
      if try await self.release(item, timeout: timeout) {
        self.logger.info("permit given back", metadata: ["key": "\(item.key)"])
      }
    }
  }

  /// Asks on the connection of the current event loop.
  func run(
    _ script: RedisScript, _ key: NamespacedKey, _ arguments: [String], _ deadline: Duration
  ) async throws(StoreError) -> RESPValue {
    do throws(RedisError) {
      return try await lanes[lanes.current].run(
        script, keys(of: key), arguments, timeout(until: deadline))
    } catch {
      throw failure(error, key)
    }
  }

  func keys(of key: NamespacedKey) -> [String] {
    RedisSemaphoreKeys(prefix: configuration.keyPrefix, key: key).all
  }

  /// What is left for one command until `deadline`.
  func timeout(until deadline: Duration) -> Duration {
    min(configuration.commandTimeout, deadline - time.now)
  }

  func failure(_ error: RedisError, _ key: NamespacedKey?) -> StoreError {
    StoreError(
      error.kind == .cancelled ? .cancelled : .noQuorum, key: key, quorum: 1, members: 1,
      failures: [.init(member: lanes[0].name, reason: error.reason)])
  }
}

/// As scripts take it: with microseconds, rounded up.
func seconds(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  let microseconds = (attoseconds + 999_999_999_999) / 1_000_000_000_000
  if microseconds == 1_000_000 { return "\(seconds + 1).000000" }
  let digits = String(microseconds)
  return "\(seconds)." + String(repeating: "0", count: 6 - digits.utf8.count) + digits
}
