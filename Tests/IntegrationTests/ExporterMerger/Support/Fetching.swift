import AsyncHTTPClient
import LocalServers
import NIOCore

/// The body of an answer; throws while there is none.
func fetch(_ url: String) async throws -> String {
  let response = try await HTTPClient.shared.execute(
    HTTPClientRequest(url: url), timeout: .seconds(30))
  return String(buffer: try await response.body.collect(upTo: 64 << 20))
}

/// Asks until there is something, or the time is over.
func obtain<Value: Sendable>(
  _ expectation: String, _ check: @escaping @Sendable () async throws -> Value?
) async throws -> Value {
  try await withDeadline(.seconds(90), expectation) {
    while true {
      if let value = try? await check() { return value }
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
