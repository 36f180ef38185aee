import LocalKubelet
import LocalServers
import Testing

import func Glibc.access
import let Glibc.F_OK

/// The real executable with real servers and the clients that people use: Python's, `redis-cli`,
/// `redis-benchmark` and raw connections, in `Tests/RedisProxyClients`.
@Suite(.serialized) struct RedisProxyClientTests {
  @Test(arguments: [
    "test_clients", "test_leaks", "test_faults", "test_security", "test_addresses",
    "test_differential",
  ])
  func clientsSeeOneServer(_ module: String) async throws {
    let root = try repository()
    let executables = try HookExecutables.built().directory
    try await withLocalProcesses { processes in
      let tests = try await processes.start(
        LocalProcess.Command(
          name: module, executable: "\(root)/.build/venv/bin/python",
          arguments: [
            "-B", "-W", "ignore", "-m", "unittest", "discover", "-s",
            "\(root)/Tests/RedisProxyClients", "-p", "\(module).py",
          ],
          environment: ["REDIS_PROXY": "\(executables)/redis-proxy", "ROUNDS": "150"],
          installHint: "run scripts/install-test-dependencies"))
      let status = try await withDeadline(.seconds(600), "\(module) ends") {
        try await tests.waitForExit()
      }
      #expect(status == .exited(0), "\(tests.output.joined(separator: "\n"))")
    }
  }

  /// The folder of the package that this file belongs to.
  private func repository(_ file: String = #filePath) throws -> String {
    let parts = file.split(separator: "/")
    let root = "/" + parts.dropLast(4).joined(separator: "/")
    try #require(access("\(root)/Tests/RedisProxyClients/servers.py", F_OK) == 0)
    return root
  }
}
