import JSON
import LocalKubelet
import LocalServers
import Testing

extension LocalCluster.Settings {
  /// Only the semaphore's webhook, and for locks and permits one Redis server or an etcd cluster.
  ///
  /// - Parameters:
  ///   - staleAfter: a busy machine may keep a heartbeat for seconds: short only where somebody has
  ///     to be taken for dead.
  ///   - etcdMembers: 0: Redis.
  mutating func guardWithPermits(
    heartbeat: Int = 1, staleAfter: Int = 120, replicas: Int = 1, etcdMembers: Int = 0,
    _ arguments: [String] = []
  ) {
    redisCount = etcdMembers > 0 ? 0 : 1
    etcdCount = etcdMembers
    let times = [
      "--heartbeat-interval-seconds", "\(heartbeat)", "--stale-threshold-seconds", "\(staleAfter)",
    ]
    hooks = [.init(.atLeastSemaphore, arguments: times + arguments, replicas: replicas)]
  }
}

/// The numbers of a semaphore, as any client of its store sees them.
struct RawCounts: Sendable, Hashable {
  let queue: Int
  let inFlight: Int
}

extension LocalCluster {
  /// Where permits live.
  var queue: RedisServer { redis[0] }

  /// Runs a raw command on a server with `redis-cli`.
  /// - Returns: a line for each value of the answer; an empty one for nil.
  @discardableResult
  func ask(_ server: RedisServer, _ words: String...) async throws -> [String] {
    let process = try await processes.start(
      LocalProcess.Command(
        name: "redis-cli \(words[0])", executable: "redis-cli",
        arguments: ["-p", "\(server.port)"] + words,
        installHint: "install it (Debian: apt-get install redis-tools)"))
    let status = try await withDeadline(.seconds(20), "redis-cli \(words) ends") {
      try await process.waitForExit()
    }
    guard status == .exited(0), process.output.first?.hasPrefix("ERR") != true else {
      throw process.ended(status, process.output)
    }
    return process.output
  }

  /// The raw numbers of `team-a/<key>`.
  func rawCounts(
    _ key: String, prefix: String = LocalCluster.semaphorePrefix
  ) async throws -> RawCounts {
    if !etcd.isEmpty {
      return RawCounts(
        queue: try await etcdEntries("_queue", of: key, prefix: prefix).count,
        inFlight: try await etcdPermits(key, prefix: prefix).count)
    }
    let answer = try await ask(
      queue, "EVAL", "return {redis.call('LLEN', KEYS[1]), redis.call('ZCARD', KEYS[2])}", "2",
      "\(prefix)queue/team-a/\(key)", "\(prefix)heartbeat/team-a/\(key)")
    let numbers = answer.compactMap { Int($0) }
    guard numbers.count == 2 else { throw LocalServersError(.ended, "\(answer)") }
    return RawCounts(queue: numbers[0], inFlight: numbers[1])
  }

  /// The UIDs of the Pods that have a permit of `team-a/<key>`, as the queue's Redis knows them.
  func rawHolders(_ key: String) async throws -> Set<String> {
    let prefix = Self.semaphorePrefix
    let script = """
      local tokens = redis.call('ZRANGE', KEYS[1], 0, -1)
      return #tokens == 0 and {} or redis.call('HMGET', KEYS[2], unpack(tokens))
      """
    let holders = try await ask(
      queue, "EVAL", script, "2", "\(prefix)heartbeat/team-a/\(key)",
      "\(prefix)holder/team-a/\(key)")
    return Set(holders.map { holder in String(holder.prefix { $0 != " " }) })
  }

  /// The permits in flight of `team-a/<key>`, and the Unix time of their last heartbeats.
  func permits(
    _ key: String, prefix: String = LocalCluster.semaphorePrefix
  ) async throws -> [String: Double] {
    let lines = try await ask(
      queue, "ZRANGE", "\(prefix)heartbeat/team-a/\(key)", "0", "-1", "WITHSCORES")
    var permits: [String: Double] = [:]
    for place in stride(from: 0, to: lines.count - 1, by: 2) {
      permits[lines[place]] = Double(lines[place + 1])
    }
    return permits
  }

  /// Runs a command of `at-least-semaphore-pod-hook` that needs the stores.
  func runSemaphore(
    _ arguments: [String], prefix: String = LocalCluster.semaphorePrefix
  ) async throws -> FinishedCommand {
    try await processes.run(
      arguments + stores + ["--key-prefix=\(prefix)"], of: .atLeastSemaphore)
  }

  /// How a command finds them.
  private var stores: [String] {
    if etcd.isEmpty {
      let addresses = redis.map(\.address).joined(separator: ",")
      return ["--queue-redis-address", queue.address, "--redis-addresses", addresses]
    }
    let addresses = etcd.map(\.address).joined(separator: ",")
    return ["--lock-mode", "etcd", "--queue-mode", "etcd", "--etcd-addresses", addresses]
  }

  /// What `status` says of `team-a/<key>`.
  func semaphoreStatus(_ key: String) async throws -> JSONValue {
    let command = try await runSemaphore(["status", "team-a/\(key)", "--output", "json"])
    return try #require(command.json?.array?.first, "\(command.text)")
  }

  /// What the first webhook's `/metrics` says of a number of `team-a/<key>`; nil: nothing yet.
  func metric(_ name: String, _ key: String) async throws -> Double? {
    let text = try await withClient(trusting: certificates.authorityPath) { client in
      try await client.get("http://127.0.0.1:\(hook.metricsPort)/metrics").text
    }
    let series = try Exposition(text).samples.first {
      $0.key.hasPrefix("\(name){") && $0.key.contains("key=\"\(key)\"")
    }
    return series?.value
  }
}
