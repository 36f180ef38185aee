import LocalServers

/// Looks again and again until `check` makes something of what it sees: for what gives no event.
///
/// Throws ``LocalServersError`` (`deadline`) when that takes longer than `limit`.
@discardableResult
func eventually<Value: Sendable>(
  _ expectation: String, within limit: Duration = .seconds(30),
  _ check: @escaping @Sendable () async throws -> Value?
) async throws -> Value {
  try await withDeadline(limit, expectation) {
    while true {
      if let value = try await check() { return value }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
