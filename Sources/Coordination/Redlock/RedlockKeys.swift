/// The names under which one lock lives in Redis.
struct RedlockKeys: Sendable {
  /// How long fencing counters and records of started applications outlive their lock.
  static let retention = Duration.seconds(30 * 24 * 3600)

  let lock: String
  let fence: String
  private let openedPrefix: String

  /// No Kubernetes namespace starts with an underscore, so these never meet a lock.
  init(prefix: String, key: NamespacedKey) {
    lock = "\(prefix)\(key)"
    fence = "\(prefix)_fence/\(key)"
    openedPrefix = "\(prefix)_opened/\(key)/"
  }

  func opened(by podUID: String) -> String { openedPrefix + podUID }

  /// The lock that a Redis key stands for, if it is one of ours.
  static func lockKey(of redisKey: String, prefix: String) -> NamespacedKey? {
    guard redisKey.hasPrefix(prefix) else { return nil }
    let rest = redisKey.dropFirst(prefix.count)
    return rest.hasPrefix("_") ? nil : NamespacedKey(parsing: String(rest))
  }
}
