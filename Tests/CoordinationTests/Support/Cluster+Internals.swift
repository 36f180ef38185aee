import RESP
import RedisClient

@testable import Coordination

extension RedlockStore {
  /// Whether every server, not only a quorum, answers over the store's own connections. What the
  /// store sent before has then been run.
  func reachesAllServers() async -> Bool {
    for node in nodes {
      guard (try? await node.ping(timeout: .seconds(5))) != nil else { return false }
    }
    return true
  }
}

extension RedisClient {
  /// Spares the first use of a script its second round trip.
  func loadScripts() async throws {
    for script in [RedlockScripts.acquire, RedlockScripts.release, RedlockScripts.raise] {
      try await ask("SCRIPT", "LOAD", script.source)
    }
  }
}
