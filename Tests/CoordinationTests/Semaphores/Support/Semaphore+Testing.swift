import Coordination
import Testing

extension Semaphore {
  func take(
    _ key: NamespacedKey, _ length: Int, as holder: Holder = .pod("a"), deadline: Duration? = nil
  ) async throws(SemaphoreError) -> Take {
    try await take(
      key, length: length, lockTime: .seconds(30), as: holder, lifetime: .seconds(60),
      deadline: deadline ?? later)
  }

  func result(
    _ key: NamespacedKey, _ length: Int, as holder: Holder = .pod("a"), deadline: Duration? = nil
  ) async -> Result<Take, SemaphoreError> {
    do throws(SemaphoreError) {
      return .success(try await take(key, length, as: holder, deadline: deadline))
    } catch {
      return .failure(error)
    }
  }
}

/// Runs something that has to fail with the error of semaphores.
func semaphoreError(
  _ body: () async throws -> some Any, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> SemaphoreError {
  try #require(
    await #expect(throws: SemaphoreError.self, sourceLocation: sourceLocation) {
      _ = try await body()
    })
}

extension SemaphoreError {
  var isCancelled: Bool {
    if case .store(let error) = self { error.kind == .cancelled } else { false }
  }
  var isBusy: Bool { if case .busy = self { true } else { false } }
  var isLockHeld: Bool { if case .lockHeld = self { true } else { false } }
}

extension Result where Success == Semaphore.Take, Failure == SemaphoreError {
  var token: Token? { try? get().token }
  var error: SemaphoreError? { if case .failure(let error) = self { error } else { nil } }
}
