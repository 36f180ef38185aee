import Coordination
import LocalServers
import Testing

@Suite struct FindingsTests {
  @Test func serversThatKeepTheirDataAreFine() async throws {
    try await withCluster(3, settings: .init(appendOnly: true)) { cluster in
      #expect(await cluster.store.findings(deadline: later).isEmpty)
    }
  }

  @Test(arguments: [
    ["--appendonly", "no"], ["--appendonly", "yes", "--appendfsync", "everysec"],
  ])
  func aServerThatMayForgetIsNamed(arguments: [String]) async throws {
    try await withCluster(1, settings: .init(arguments: arguments)) { cluster in
      let findings = await cluster.store.findings(deadline: later)
      #expect(findings.count == 1)
      let finding = try #require(findings.first)
      #expect(finding.contains(cluster.servers[0].address))
      #expect(finding.contains("set appendonly yes and appendfsync always"))
    }
  }

  @Test(arguments: ["allkeys-lru", "volatile-ttl"])
  func aServerThatMayEvictIsNamed(policy: String) async throws {
    let settings = RedisServer.Settings(
      appendOnly: true, arguments: ["--maxmemory-policy", policy])
    try await withCluster(1, settings: settings) { cluster in
      let findings = await cluster.store.findings(deadline: later)
      #expect(findings.count == 1)
      let finding = try #require(findings.first)
      #expect(finding.contains(cluster.servers[0].address))
      #expect(finding.contains(policy) && finding.contains("noeviction"))
    }
  }

  @Test func aServerThatDoesNotTellIsNotAccused() async throws {
    let settings = RedisServer.Settings(arguments: ["--rename-command", "CONFIG", ""])
    try await withCluster(1, settings: settings) { cluster in
      #expect(await cluster.store.findings(deadline: later).isEmpty)
    }
  }

  @Test func serversThatAreGoneCostNoMoreThanTheDeadline() async throws {
    try await withCluster(1) { cluster in
      try await cluster.servers[0].pause()
      let start = time.now
      #expect(await cluster.store.findings(deadline: start + .milliseconds(200)).isEmpty)
      #expect(time.now - start < .seconds(10))
    }
  }
}
