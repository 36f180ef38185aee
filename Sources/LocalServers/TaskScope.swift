/// Work that objects start while a scope lasts: every job is a child of the scope, cancelled and
/// awaited when the scope ends.
package final class TaskScope: Sendable {
  package typealias Job = @Sendable () async -> Void

  private let jobs: AsyncStream<Job>.Continuation

  fileprivate init(_ jobs: AsyncStream<Job>.Continuation) {
    self.jobs = jobs
  }

  /// Runs `job` concurrently. Does nothing once the scope is over.
  ///
  /// - Returns: whether the job will run.
  @discardableResult
  package func run(_ job: @escaping Job) -> Bool {
    if case .enqueued = jobs.yield(job) { true } else { false }
  }
}

/// Runs `body` with a scope for jobs; returns when `body` and all jobs have ended.
package func withTaskScope<Result: Sendable>(
  _ body: (TaskScope) async throws -> Result
) async throws -> Result {
  // Unbounded, as the only producer is the test or demo that owns the scope.
  let (stream, jobs) = AsyncStream.makeStream(of: TaskScope.Job.self)
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      await withDiscardingTaskGroup { running in
        for await job in stream { running.addTask { await job() } }
        running.cancelAll()
      }
    }
    defer {
      jobs.finish()
      group.cancelAll()
    }
    return try await body(TaskScope(jobs))
  }
}

/// Runs `body`, but at most for `limit`; then it is cancelled and ``LocalServersError``
/// (`deadline`) thrown, whose message names the `expectation`: "the gate opens".
@discardableResult
package func withDeadline<Result: Sendable>(
  _ limit: Duration, _ expectation: String,
  _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw LocalServersError(.deadline, "not within \(limit): \(expectation)")
    }
    guard let result = try await group.next() else { throw CancellationError() }
    return result
  }
}
