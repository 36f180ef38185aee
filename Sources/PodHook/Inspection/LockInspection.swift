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

  /// One lock, or all that are held.
  package func status(_ key: NamespacedKey?) async throws -> [LockReport] {
    let deadline = time.now + Self.timeLimit
    var reports: [LockReport] = []
    let keys =
      if let key { [key] } else { try await store.keys(deadline: deadline) }
    for key in keys { reports.append(try await report(key, deadline)) }
    return reports
  }

  /// Who holds a lock, if anybody does.
  package func report(_ key: NamespacedKey) async throws -> LockReport {
    try await report(key, time.now + Self.timeLimit)
  }

  private func report(_ key: NamespacedKey, _ deadline: Duration) async throws -> LockReport {
    LockReport(key: key, snapshot: try await store.inspect(key, podUID: nil, deadline: deadline))
  }

  package enum Release: Sendable {
    case released(LockRecord)
    case free
    /// Another token than the one that was named holds it.
    case others(LockRecord)
    /// Since the report, another has taken it.
    case taken(LockRecord)
  }

  /// Releases a lock that the holder of a report has, and no one else's: who was not shown does not
  /// lose it.
  /// - Parameter token: which token must hold it; nil: any.
  package func release(_ report: LockReport, token: Token?) async throws -> Release {
    let deadline = time.now + Self.timeLimit
    guard var record = report.snapshot.owner?.record else { return .free }
    guard token == nil || token == record.token else { return .others(record) }
    for _ in 0..<Self.attempts {
      let isReleased = try await store.release(
        report.key, token: record.token, podUID: record.holder?.podUID, deadline: deadline)
      if isReleased { return .released(record) }
      let now = try await self.report(report.key, deadline)
      guard let present = now.snapshot.owner?.record else { return .free }
      guard present.token == record.token else { return .taken(present) }
      // A sidecar has bound the claim to its Pod just now: the same holder.
      record = present
    }
    throw FatalError("not released: \(report.key) changes all the time, try again")
  }

  private static let attempts = 3
}
