package import ArgumentParser
import RedisClient
package import ServiceKit

/// Where the permits live: the options that every command of the semaphore hook has.
package struct QueueOptions: ParsableArguments {
  @Option(help: "redis, etcd, or memory: this process only, for tests (default: redis).")
  package var queueMode: String?

  @Option(
    help: "The Redis server of the queues, host:port or a rediss:// URL (default: 127.0.0.1:6379).")
  package var queueRedisAddress: String?

  @Option(help: "After how long without a heartbeat a holder counts as dead (default: 120).")
  package var staleThresholdSeconds: String?

  package init() {}

  /// - Parameter store: the options of the locks, whose credentials and prefix count here too.
  package func resolve(
    _ reader: inout OptionReader, store: StoreConfiguration
  ) -> QueueConfiguration {
    let mode = reader.choice("queue-mode", flag: queueMode, default: QueueConfiguration.Mode.redis)
    let addresses = reader.redisAddresses(
      "queue-redis-address", flag: queueRedisAddress, default: [RedisAddress(host: "127.0.0.1")])
    if addresses.count != 1 {
      reader.reject(
        "queue-redis-address", value: RedisSettings.text(addresses), allowed: "one server")
    }
    let staleAfter = reader.integer(
      "stale-threshold-seconds", flag: staleThresholdSeconds, default: 120, in: 1...86_400)
    return QueueConfiguration(
      mode: mode, address: addresses[0], staleAfter: .seconds(staleAfter), store: store)
  }
}

/// How often holders say that they live.
package struct HeartbeatOptions: ParsableArguments {
  @Option(help: "Between two heartbeats of a sidecar (default: 30).")
  package var heartbeatIntervalSeconds: String?

  package init() {}

  /// - Parameter queue: whose threshold has to leave room for a heartbeat that gets lost.
  package func resolve(
    _ reader: inout OptionReader, queue: QueueConfiguration
  ) -> Duration {
    let seconds = reader.integer(
      "heartbeat-interval-seconds", flag: heartbeatIntervalSeconds, default: 30, in: 1...3600)
    let staleAfter = queue.staleAfter.components.seconds
    if staleAfter <= 2 * Int64(seconds) {
      reader.reject(
        "stale-threshold-seconds", value: String(staleAfter),
        allowed: "more than twice --heartbeat-interval-seconds, which is \(seconds)")
    }
    return .seconds(seconds)
  }
}
