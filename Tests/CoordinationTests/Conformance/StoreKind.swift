import Coordination
import LocalServers
import Testing

/// Every kind of store that has to obey the same rules.
enum StoreKind: CaseIterable, CustomTestStringConvertible {
  case memory, oneServer, threeServers, etcd, etcdCluster

  var testDescription: String { "\(self)" }

  /// Whether fencing tokens are counted for each key, and the last one is known while the lock is
  /// free. In etcd they are revisions of the whole store.
  var countsFencingTokens: Bool { self != .etcd && self != .etcdCluster }
}

/// Three servers and a lone one of each program, shared by the tests of a suite, which use different keys.
struct SharedServers: SuiteTrait, TestScoping {
  @TaskLocal static var three: Cluster?
  @TaskLocal static var one: Cluster?
  @TaskLocal static var etcd: EtcdLockStore?
  @TaskLocal static var etcdCluster: EtcdLockStore?

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @Sendable @concurrent () async throws -> Void
  ) async throws {
    try await withCluster(3) { three in
      try await withCluster(1) { one in
        try await withEtcdStore(1) { _, etcd in
          try await withEtcdStore(3) { _, etcdCluster in
            try await Self.$three.withValue(three) {
              try await Self.$one.withValue(one) {
                try await Self.$etcd.withValue(etcd) {
                  try await Self.$etcdCluster.withValue(etcdCluster) { try await function() }
                }
              }
            }
          }
        }
      }
    }
  }
}

extension Trait where Self == SharedServers {
  static var sharedServers: SharedServers { SharedServers() }
}

/// A store of this kind. Needs ``SharedServers`` around it.
func store(_ kind: StoreKind) throws -> any LockStore {
  switch kind {
  case .memory: MemoryLockStore(time: time)
  case .oneServer: try #require(SharedServers.one).store
  case .threeServers: try #require(SharedServers.three).store
  case .etcd: try #require(SharedServers.etcd)
  case .etcdCluster: try #require(SharedServers.etcdCluster)
  }
}
