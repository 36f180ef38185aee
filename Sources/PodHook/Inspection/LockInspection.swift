package import Coordination
import ServiceKit

/// What people ask of a store and do to it from the command line.
package struct LockInspection: Sendable {
  private let store: any LockStore
  private let time: any MonotonicTime

  /// For a whole command.
  private static let timeLimit = Duration.seconds(10)

  package init(store: any LockStore, time: any MonotonicTime = SystemTime()) {
    self.store = store
    self.time = time
  }

  /// Runs `body` while the store runs.
  package func withStore<Value: Sendable>(
    _ body: @escaping @Sendable (LockInspection) async throws -> Value
  ) async throws -> Value {
    do {
      return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask {
          try await store.run()
          return nil
        }
        group.addTask { try await body(self) }
        defer { group.cancelAll() }
        while let result = try await group.next() {
          if let value = result { return value }
        }
        throw CancellationError()
      }
    } catch let error as LockStoreError {
      throw FatalError("\(error)", cause: error)
    }
  }

  /// One lock, or all that are held.
  package func status(_ key: LockKey?) async throws -> [LockReport] {
    let deadline = time.now + Self.timeLimit
    var reports: [LockReport] = []
    let keys =
      if let key { [key] } else { try await store.keys(deadline: deadline) }
    for key in keys {
      let snapshot = try await store.inspect(key, podUID: nil, deadline: deadline)
      reports.append(LockReport(key: key, snapshot: snapshot))
    }
    return reports
  }

  package enum Release: Sendable {
    case released(LockRecord)
    case free
    /// Another token holds it.
    case others(LockRecord)
  }

  /// Releases a lock, whoever's it is.
  /// - Parameter token: which token must hold it; nil: any.
  package func release(_ key: LockKey, token: LockToken?) async throws -> Release {
    let deadline = time.now + Self.timeLimit
    let owner = try await store.inspect(key, podUID: nil, deadline: deadline).owner
    guard let record = owner?.record else { return .free }
    guard token == nil || token == record.token else { return .others(record) }
    let isReleased = try await store.release(
      key, token: record.token, podUID: record.holder?.podUID, deadline: deadline)
    return isReleased ? .released(record) : .free
  }
}
