import RESP
import RedisClient

extension RedisNode {
  /// One setting of the server; nil where the server does not allow to ask.
  private func setting(_ name: String, timeout: Duration) async -> String? {
    let reply = try? await client.send(
      RESPCommand("CONFIG", "GET", .string(name)), timeout: timeout)
    return reply?.entries?.first?.value.string
  }

  /// What the server's owner should know of settings by which it may lose what it keeps.
  ///
  /// - Parameters:
  ///   - forgettable: what a restart would lose, for the sentence.
  ///   - evictable: what is lost when memory is short.
  ///   - timeout: for each setting.
  func findings(
    forgettable: String, evictable: String, timeout: Duration
  ) async -> [String] {
    var findings: [String] = []
    if let appendOnly = await setting("appendonly", timeout: timeout) {
      let isSynced = await setting("appendfsync", timeout: timeout) == "always"
      if appendOnly != "yes" || !isSynced {
        findings.append(
          "\(name) may forget \(forgettable) when it restarts: set appendonly yes and appendfsync"
            + " always")
      }
    }
    if let policy = await setting("maxmemory-policy", timeout: timeout), policy != "noeviction" {
      findings.append(
        "\(name) may evict \(evictable) (maxmemory-policy is \(policy)): set it to noeviction")
    }
    return findings
  }

  /// Walks over the names of all keys of one type that start with `prefix`; some may come twice.
  ///
  /// - Parameter timeout: what is left for the next step.
  func scan(
    prefix: String, rest: String, type: String, timeout: () -> Duration,
    _ body: (String) -> Void
  ) async throws(RedisError) {
    var cursor = "0"
    // The prefix may hold what SCAN takes for a pattern.
    let pattern = prefix.map { "*?[]\\^".contains($0) ? "\\\($0)" : "\($0)" }.joined() + rest
    repeat {
      let reply = try await send(
        RESPCommand(
          "SCAN", .string(cursor), "MATCH", .string(pattern), "COUNT", "1000", "TYPE",
          .string(type)),
        timeout())
      cursor = reply.array?.first?.string ?? "0"
      for key in reply.array?.last?.array ?? [] {
        if let key = key.string { body(key) }
      }
    } while cursor != "0"
  }
}
