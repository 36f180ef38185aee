import LocalKubelet
import LocalServers
import Testing

/// Gives all tests of a suite one cluster, `cluster()`.
struct SharedCluster: SuiteTrait, TestScoping {
  @TaskLocal static var current: LocalCluster?

  let configure: @Sendable (inout LocalCluster.Settings) -> Void

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await withCluster(configure) { cluster in
      try await Self.$current.withValue(cluster) { try await function() }
    }
  }
}

extension Trait where Self == SharedCluster {
  static func cluster(
    _ configure: @escaping @Sendable (inout LocalCluster.Settings) -> Void = { _ in }
  ) -> Self {
    SharedCluster(configure: configure)
  }
}

/// The cluster of the suite.
func cluster() throws -> LocalCluster { try #require(SharedCluster.current) }

/// Runs `body` in a cluster of its own.
func withCluster<Result: Sendable>(
  _ configure: (inout LocalCluster.Settings) -> Void = { _ in },
  _ body: (LocalCluster) async throws -> Result
) async throws -> Result {
  var settings = LocalCluster.Settings(executables: try .built())
  // Controllers that try again soon, so that hand-overs can be measured.
  settings.kubelet.creationBackoff = .milliseconds(20)
  configure(&settings)
  return try await withLocalCluster(settings, body)
}
