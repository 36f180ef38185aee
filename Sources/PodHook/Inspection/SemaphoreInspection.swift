package import Coordination
import ServiceKit

/// What people ask of semaphores and do to them from the command line.
package struct SemaphoreInspection: Sendable {
  private let semaphore: Semaphore
  private let time: any MonotonicTime

  /// For a whole command.
  private static let timeLimit = Duration.seconds(10)
  /// How long the lock around a queue may outlive a command that crashed.
  private static let lockTime = Duration.seconds(10)

  package init(semaphore: Semaphore, time: any MonotonicTime = SystemTime()) {
    self.semaphore = semaphore
    self.time = time
  }

  private var store: any SemaphoreStore { semaphore.store }

  /// One semaphore, or all.
  package func status(_ key: NamespacedKey?) async throws -> [SemaphoreReport] {
    let deadline = time.now + Self.timeLimit
    var reports: [SemaphoreReport] = []
    let keys =
      if let key { [key] } else { try await store.keys(deadline: deadline) }
    for key in keys { reports.append(try await report(key, deadline)) }
    return reports
  }

  private func report(_ key: NamespacedKey, _ deadline: Duration) async throws -> SemaphoreReport {
    let permits = try await store.permits(key, deadline: deadline)
    return SemaphoreReport(
      key: key, counts: try await store.counts(key, deadline: deadline), permits: permits)
  }

  package enum Release: Sendable {
    case released(Permit)
    /// There is no such permit in flight.
    case unknown
  }

  /// Puts a permit back into the queue.
  package func release(_ key: NamespacedKey, token: Token) async throws -> Release {
    let deadline = time.now + Self.timeLimit
    for _ in 0..<Self.attempts {
      guard let permit = try await store.permit(key, token: token, deadline: deadline) else {
        return .unknown
      }
      let isReleased = try await store.release(
        key, token: token, podUID: permit.holder?.podUID, deadline: deadline)
      if isReleased { return .released(permit) }
      // A sidecar has bound the claim to its Pod just now: the same holder.
    }
    throw FatalError("not released: \(key) changes all the time, try again")
  }

  private static let attempts = 3

  /// Puts the permits of a Pod back into the queue.
  package func release(_ key: NamespacedKey, pod: String) async throws -> [Release] {
    let permits = try await store.permits(key, deadline: time.now + Self.timeLimit)
    var releases: [Release] = []
    for permit in permits where permit.holder?.displayName == pod {
      releases.append(try await release(key, token: permit.token))
    }
    return releases
  }

  /// Changes the number of permits until the next Pod states another.
  package func resize(_ key: NamespacedKey, to length: Int) async throws -> SemaphoreCounts {
    try await semaphore.resize(
      key, to: length, lockTime: Self.lockTime, deadline: time.now + Self.timeLimit)
  }
}
