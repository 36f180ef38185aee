import Synchronization

/// Whether a process may get traffic: shared by what knows and the probes that ask.
///
/// It is ready while it is not stopping and all its checks are healthy. There is no way back from
/// stopping.
package final class Readiness: Sendable {
  private struct State {
    var isStopping = false
    var checks: [HealthCheck] = []
  }

  private let state: Mutex<State>

  /// - Parameter checks: what must be healthy.
  package init(checks: [HealthCheck] = []) { state = Mutex(State(checks: checks)) }

  /// Adds a condition.
  package func require(_ check: HealthCheck) { state.withLock { $0.checks.append(check) } }

  /// From now on the process is not ready, whatever the checks say.
  package func stop() { state.withLock { $0.isStopping = true } }

  /// Whether ``stop()`` was called.
  package var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Asks all checks, in order, until one is not healthy.
  package func health() async -> Health {
    let (isStopping, checks) = state.withLock { ($0.isStopping, $0.checks) }
    if isStopping { return .unhealthy("shutting down") }
    return await HealthCheck.all(checks)
  }
}
