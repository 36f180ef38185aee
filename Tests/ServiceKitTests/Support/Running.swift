import Logging
import ServiceLifecycle

/// Runs services while the body runs, then shuts them down gracefully and waits for their end.
func withServices<Result: Sendable>(
  _ services: any Service..., body: () async throws -> Result
) async throws -> Result {
  let group = ServiceGroup(
    configuration: ServiceGroupConfiguration(services: services, logger: .silent))
  return try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask { try await group.run() }
    let result: Result
    do {
      result = try await body()
    } catch {
      tasks.cancelAll()
      throw error
    }
    await group.triggerGracefulShutdown()
    try await tasks.waitForAll()
    return result
  }
}
