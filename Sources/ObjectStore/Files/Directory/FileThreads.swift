import NIOCore
import NIOPosix
import Synchronization

/// Threads that may wait for the disk, so that no event loop does.
///
/// Each request has one call here at a time, so there are never more than requests.
struct FileThreads: Sendable {
  /// As many reads and writes wait for the disk at the same time; those that sync together share
  /// the trouble. NIO's own pool has a thread for each core, too few for calls that use no core.
  static let single = FileThreads(count: 16)
  /// For what looks through directories: it takes long, some memory, and no thread of others.
  static let scans = FileThreads(count: 2)

  // Lasts as long as the process.
  private let pool: NIOThreadPool

  private init(count: Int) {
    pool = NIOThreadPool(numberOfThreads: count)
    pool.start()
  }

  /// Runs a call that may block. It runs to its end even if the task is cancelled.
  func run<Value: Sendable>(
    _ call: @escaping @Sendable () throws(ObjectStoreError) -> Value
  ) async throws(ObjectStoreError) -> Value {
    try await attempt(call).get()
  }

  /// As ``run(_:)``.
  @discardableResult
  func attempt<Value: Sendable>(
    _ call: @escaping @Sendable () throws(ObjectStoreError) -> Value
  ) async -> Result<Value, ObjectStoreError> {
    await withCheckedContinuation { continuation in
      pool.submit { _ in continuation.resume(returning: Result(catching: call)) }
    }
  }

  /// Runs a call for which nobody waits.
  func submit(_ call: @escaping @Sendable () -> Void) { pool.submit { _ in call() } }

  /// Runs a call that looks now and then whether it was given up.
  func runCancellable<Value: Sendable>(
    _ call: @escaping @Sendable (GivingUp) throws(ObjectStoreError) -> Value
  ) async throws(ObjectStoreError) -> Value {
    let givingUp = GivingUp()
    let result: Result<Value, ObjectStoreError> = await withTaskCancellationHandler {
      await attempt { () throws(ObjectStoreError) in
        try givingUp.check()
        return try call(givingUp)
      }
    } onCancel: {
      givingUp.giveUp()
    }
    return try result.get()
  }
}

/// Says to a thread that nobody waits for it any more.
final class GivingUp: Sendable {
  private let isGivenUp = Atomic(false)

  func giveUp() { isGivenUp.store(true, ordering: .relaxed) }

  /// - Throws: `cancelled`.
  func check() throws(ObjectStoreError) {
    if isGivenUp.load(ordering: .relaxed) { throw .givenUp }
  }
}
