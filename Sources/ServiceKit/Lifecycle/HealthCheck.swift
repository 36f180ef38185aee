/// The answer of a check.
package enum Health: Hashable, Sendable {
  case healthy
  /// The reason is one line for people, without secrets: probes show it.
  case unhealthy(String)

  package var isHealthy: Bool { self == .healthy }
}

/// One condition of health or readiness.
package struct HealthCheck: Sendable {
  /// What is checked, one word: it comes first in the reason.
  package let name: String

  private let body: @Sendable () async -> Health

  /// - Parameter check: answers soon, and ends early when it is cancelled.
  package init(_ name: String, check: @escaping @Sendable () async -> Health) {
    self.name = name
    self.body = check
  }

  package func callAsFunction() async -> Health { await body() }

  /// Healthy if all are; else the first that is not, with its name.
  static func all(_ checks: [HealthCheck]) async -> Health {
    for check in checks {
      if case .unhealthy(let reason) = await check() {
        return .unhealthy("\(check.name): \(reason)")
      }
    }
    return .healthy
  }
}
