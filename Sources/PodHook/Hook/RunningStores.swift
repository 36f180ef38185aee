package import Coordination
import ServiceKit

/// Runs `body` while stores run: for commands that ask something and end.
///
/// - Throws: a store that could not answer as `FatalError`, for the command line.
package func withRunning<Value: Sendable>(
  _ stores: [any CoordinationStore], _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  do {
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      for store in stores {
        group.addTask {
          try await store.run()
          return nil
        }
      }
      group.addTask { try await body() }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let value = result { return value }
      }
      throw CancellationError()
    }
  } catch let fault as any ClaimFault {
    throw FatalError(fault.description, cause: fault)
  }
}
