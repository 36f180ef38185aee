/// The names under which one semaphore lives in Redis.
///
/// The first two are those of existing installs and of other implementations: `queue` is a list of
/// placeholders, one for each free permit, and `heartbeat` a sorted set of the permits in flight by
/// the Unix time, in seconds, of their last heartbeat. The others are ours; whoever does not know
/// them is not disturbed by them.
struct RedisSemaphoreKeys: Sendable {
  static let queuePrefix = "queue/"
  static let heartbeatPrefix = "heartbeat/"

  /// In the order in which the scripts know them.
  let all: [String]

  init(prefix: String, key: NamespacedKey) {
    all = [
      "\(prefix)\(Self.queuePrefix)\(key)", "\(prefix)\(Self.heartbeatPrefix)\(key)",
      "\(prefix)holder/\(key)", "\(prefix)semaphore/\(key)", "\(prefix)reclaimed/\(key)",
    ]
  }
}
