import LocalServers
import RESP
import RedisClient
import Testing

/// What can happen to one server.
enum Fault: CaseIterable, CustomTestStringConvertible {
  /// SIGKILL: connections are refused.
  case killed
  /// SIGSTOP: connections stay open, nothing is answered.
  case paused
  /// Every answer takes a part of a second.
  case slow

  var testDescription: String { "\(self)" }
}

extension Cluster {
  /// Runs `body` while the server `node` suffers from a fault, and heals it after that.
  func with<Result: Sendable>(
    _ fault: Fault, at node: Int, _ body: () async throws -> Result
  ) async throws -> Result {
    switch fault {
    case .killed:
      try await servers[node].kill()
      let result = try await body()
      try await servers[node].restart()
      return result
    case .paused:
      try await servers[node].pause()
      let result = try await body()
      servers[node].resume()
      return result
    case .slow:
      // Its own client, as the answers of this one are late too.
      let client = direct[node]
      return try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        try await client.ask("CLIENT", "PAUSE", "150", "ALL")
        group.addTask {
          while !Task.isCancelled { try await client.ask("CLIENT", "PAUSE", "150", "ALL") }
        }
        return try await body()
      }
    }
  }

  func waitUntilConnected() async throws {
    for (number, store) in stores.enumerated() {
      try await eventually("store \(number) reaches all servers") {
        await store.reachesAllServers()
      }
    }
    for client in direct {
      try await eventually("\(client.address) answers") { (try? await client.ask("PING")) != nil }
    }
  }
}
