import EtcdClient
import LocalServers
import Testing

@Suite(.timeLimit(.minutes(5))) struct LeaseTests {
  @Test(arguments: EtcdVersion.allCases)
  func leasesAreGrantedKeptAndRevoked(version: EtcdVersion) async throws {
    try await withCluster(1, version) { _, client in
      let grant = try await client.grantLease(ttl: .milliseconds(59_001), timeout: patience)
      #expect(grant.ttl == .seconds(60))
      try await client.put("leased", "1", lease: grant.lease)
      #expect(try await client.get("leased", timeout: patience)?.lease == grant.lease)
      let state = try await client.timeToLive(of: grant.lease, timeout: patience)
      #expect(state.grantedTTL == .seconds(60))
      #expect(try #require(state.timeLeft) <= .seconds(60))
      let kept = try await client.keepAlive(grant.lease, timeout: patience)
      #expect(kept.ttl == .seconds(60))
      #expect(kept.state.raftTerm > 0)

      #expect(try await client.revoke(grant.lease, timeout: patience))
      #expect(try await client.get("leased", timeout: patience) == nil)
      #expect(try await !client.revoke(grant.lease, timeout: patience))
      #expect(try await client.keepAlive(grant.lease, timeout: patience).ttl == nil)
      #expect(try await client.timeToLive(of: grant.lease, timeout: patience).timeLeft == nil)
    }
  }

  @Test(arguments: EtcdVersion.allCases)
  func aChosenIdentifierIsUsedOnce(version: EtcdVersion) async throws {
    try await withCluster(1, version) { _, client in
      let lease = EtcdLease(0x1234_5678)
      let first = try await client.grantLease(ttl: .seconds(60), as: lease, timeout: patience)
      #expect(first.lease == lease)
      let error = await #expect(throws: EtcdError.self) {
        try await client.grantLease(ttl: .seconds(60), as: lease, timeout: patience)
      }
      #expect(error?.kind == .leaseExists)
    }
  }

  @Test func aKeyWithALeaseThatIsGoneIsNotPut() async throws {
    try await withCluster(1) { _, client in
      let error = await #expect(throws: EtcdError.self) {
        try await client.put("key", "", lease: EtcdLease(99))
      }
      #expect(error?.kind == .leaseNotFound)
      #expect(error?.mayHaveRun == false)
    }
  }

  /// What a server grants is longer than what was asked for when that is less than an election may
  /// take; the answer says so.
  @Test func theTTLIsThatOfTheServer() async throws {
    let settings = EtcdServer.Settings(heartbeatMilliseconds: 400)
    try await withEtcdServers(count: 1, settings: settings) { servers in
      try await withClient(servers) { client in
        let grant = try await client.grantLease(ttl: .seconds(1), timeout: patience)
        #expect(grant.ttl > .seconds(1))
        #expect(try await client.keepAlive(grant.lease, timeout: patience).ttl == grant.ttl)
      }
    }
  }

  @Test func aLeaseThatRunsOutTakesItsKeysWithIt() async throws {
    try await withCluster(1) { _, client in
      let grant = try await client.grantLease(ttl: .seconds(2), timeout: patience)
      try await client.put("short", "", lease: grant.lease)
      try await eventually("the key is gone") { try await client.value("short") == nil }
      #expect(try await client.keepAlive(grant.lease, timeout: patience).ttl == nil)
    }
  }
}
