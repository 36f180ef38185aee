import JSON
import LocalKubelet
import LocalServers
import Testing

extension LocalCluster {
  /// What any client of etcd sees of `team-a/<key>` in one part of the layout: each entry with its
  /// lease and revisions, as `etcdctl` writes them.
  func etcdEntries(
    _ part: String, of key: String, prefix: String = LocalCluster.semaphorePrefix
  ) async throws -> [JSONValue] {
    let lines = try await etcd[0].etcdctl(
      "get", "--prefix", "\(prefix)\(part)/team-a/\(key)/", "--write-out", "json")
    return try JSONValue(parsing: lines.joined())["kvs"]?.array ?? []
  }

  /// The permits in flight of `team-a/<key>`: a heartbeat changes nothing of an entry, only for how
  /// long its lease runs.
  func etcdPermits(
    _ key: String, prefix: String = LocalCluster.semaphorePrefix
  ) async throws -> [JSONValue] {
    try await etcdEntries("_heartbeat", of: key, prefix: prefix)
  }

  /// The tokens of those permits.
  func etcdTokens(_ key: String) async throws -> [String] {
    let lines = try await etcd[0].etcdctl(
      "get", "--prefix", "\(LocalCluster.semaphorePrefix)_heartbeat/team-a/\(key)/", "--keys-only")
    return lines.filter { !$0.isEmpty }.map { name in
      name.lastIndex(of: "/").map { String(name[name.index(after: $0)...]) } ?? name
    }
  }
}
