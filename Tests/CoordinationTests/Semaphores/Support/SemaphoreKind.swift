import Coordination
import LocalServers
import Testing

/// Every kind of store that has to obey the same rules about permits.
enum SemaphoreKind: CaseIterable, CustomTestStringConvertible {
  case memory, redis, redis6, etcd, etcdCluster

  var testDescription: String { "\(self)" }

  /// Whether holders are reclaimed by leases that run out, and not by who settles the key: then none
  /// is stale, and no store can be made older, so that tests take their time.
  var usesLeases: Bool { self == .etcd || self == .etcdCluster }
}

/// A store, and the power to let time pass in it.
struct SemaphoreSubject: Sendable {
  let store: any SemaphoreStore
  /// Makes all that the store knows about a key this much older; tests give it in terms of
  /// ``SemaphoreStore/staleAfter``.
  let pass: @Sendable (Duration, NamespacedKey) async throws -> Void
}

/// A server or cluster of each kind, shared by the tests of a suite, which use different keys.
struct SharedQueues: SuiteTrait, TestScoping {
  @TaskLocal static var redis: QueueRedis?
  @TaskLocal static var redis6: QueueRedis?
  @TaskLocal static var etcd: EtcdSemaphoreStore?
  @TaskLocal static var etcdCluster: EtcdSemaphoreStore?
  /// On the same servers, for tests in which no time passes, however busy the machine is.
  @TaskLocal static var slowEtcd: EtcdSemaphoreStore?
  @TaskLocal static var slowEtcdCluster: EtcdSemaphoreStore?

  /// A tenth of it is more than the second that etcd counts leases in, also on a busy machine.
  static let staleAfterInEtcd = Duration.seconds(20)

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @Sendable @concurrent () async throws -> Void
  ) async throws {
    try await withQueue { redis in
      try await withQueue(settings: .redis6()) { redis6 in
        try await Self.$redis.withValue(redis) {
          try await Self.$redis6.withValue(redis6) { try await withEtcd(function) }
        }
      }
    }
  }
}

extension SharedQueues {
  private func withEtcd(
    _ function: @Sendable @concurrent () async throws -> Void
  ) async throws {
    let slow = Duration.seconds(600)
    try await withEtcdSemaphores(1, staleAfter: Self.staleAfterInEtcd) { servers, one in
      try await withEtcdSemaphores(on: servers, staleAfter: slow) { slowOne in
        try await withEtcdSemaphores(3, staleAfter: Self.staleAfterInEtcd) { servers, three in
          try await withEtcdSemaphores(on: servers, staleAfter: slow) { slowThree in
            try await Self.$etcd.withValue(one[0]) {
              try await Self.$etcdCluster.withValue(three[0]) {
                try await Self.$slowEtcd.withValue(slowOne[0]) {
                  try await Self.$slowEtcdCluster.withValue(slowThree[0]) { try await function() }
                }
              }
            }
          }
        }
      }
    }
  }
}

extension Trait where Self == SharedQueues {
  static var sharedQueues: SharedQueues { SharedQueues() }
}

/// A store of this kind in which no time passes. Needs ``SharedQueues`` around it.
func store(_ kind: SemaphoreKind) throws -> any SemaphoreStore {
  switch kind {
  case .memory, .redis, .redis6: try subject(kind).store
  case .etcd: try #require(SharedQueues.slowEtcd)
  case .etcdCluster: try #require(SharedQueues.slowEtcdCluster)
  }
}

/// A store of this kind. Needs ``SharedQueues`` around it.
func subject(_ kind: SemaphoreKind) throws -> SemaphoreSubject {
  func subject(_ queue: QueueRedis?) throws -> SemaphoreSubject {
    let queue = try #require(queue)
    return SemaphoreSubject(store: queue.store) { try await queue.age($1, by: $0) }
  }
  func subject(_ store: EtcdSemaphoreStore?) throws -> SemaphoreSubject {
    SemaphoreSubject(store: try #require(store)) { duration, _ in
      try await time.sleep(for: duration)
    }
  }
  switch kind {
  case .memory:
    let clock = ShiftedTime()
    return SemaphoreSubject(store: MemorySemaphoreStore(time: clock)) { duration, _ in
      clock.advance(by: duration)
    }
  case .redis: return try subject(SharedQueues.redis)
  case .redis6: return try subject(SharedQueues.redis6)
  case .etcd: return try subject(SharedQueues.etcd)
  case .etcdCluster: return try subject(SharedQueues.etcdCluster)
  }
}
