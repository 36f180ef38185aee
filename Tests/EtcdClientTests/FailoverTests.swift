import EtcdClient
import LocalServers
import Testing

@Suite(.timeLimit(.minutes(5))) struct FailoverTests {
  /// What becomes of a member.
  enum Fault: CaseIterable { case killed, paused }

  @Test(arguments: Fault.allCases, [true, false])
  func oneMemberOfThreeChangesNothing(fault: Fault, isLeader: Bool) async throws {
    try await withEtcdServers(count: 3) { servers in
      // The client prefers the member that is about to fail.
      let index = try await memberIndex(of: servers, isLeader: isLeader)
      try await withClient(
        servers,
        configure: {
          $0.preferredMember = index; $0.attemptTimeout = .milliseconds(500)
        }
      ) { client in
        try await client.put("before", "1")
        let lease = try await client.grantLease(ttl: .seconds(300), timeout: patience).lease
        switch fault {
        case .killed: try await servers[index].kill()
        case .paused: try await servers[index].pause()
        }
        #expect(try await client.value("before") == "1")
        for number in 0..<20 { try await client.put("during/\(number)", "1") }
        #expect(try await client.keepAlive(lease, timeout: patience).ttl == .seconds(300))
        #expect(client.failingMembers.map(\.port).contains(servers[index].port))
        switch fault {
        case .killed: try await servers[index].restart()
        case .paused: try servers[index].resume()
        }
        try await eventually("the member is found well") { client.failingMembers.isEmpty }
        #expect(try await client.value("during/19") == "1")
      }
    }
  }

  @Test func aMemberThatIsAwayFromTheStartIsPassedOver() async throws {
    try await withEtcdServers(count: 3) { servers in
      try await servers[0].kill()
      try await withClient(servers) { client in
        try await client.put("key", "1")
        #expect(try await client.value("key") == "1")
      }
    }
  }

  @Test func withoutAMajorityTheErrorNamesTheMembers() async throws {
    try await withEtcdServers(count: 3) { servers in
      try await withClient(servers, configure: { $0.attemptTimeout = .milliseconds(200) }) {
        client in
        try await client.put("key", "1")
        try await servers[0].kill()
        try await servers[1].pause()
        let error = await #expect(throws: EtcdError.self) {
          try await client.transaction(
            EtcdTransaction(then: [.put("key", "2")]), isRepeatable: true, timeout: .seconds(3))
        }
        #expect(error?.kind == .unavailable)
        #expect(error?.mayHaveRun == true)
        #expect(Set(error?.failures.map(\.member) ?? []).count == 3, "\(error as Any)")
        try servers[1].resume()
        try await eventually("a majority serves again") {
          (try? await client.get("key", timeout: .seconds(2))) != nil
        }
      }
    }
  }

  @Test func aTransactionThatMustNotBeRepeatedIsNot() async throws {
    try await withEtcdServers(count: 3) { servers in
      let follower = try await memberIndex(of: servers, isLeader: false)
      try await withClient(
        servers,
        configure: {
          $0.preferredMember = follower
          $0.attemptTimeout = .seconds(3)
        }
      ) { client in
        try await client.put("key", "1")
        try await servers[follower].pause()
        let error = await #expect(throws: EtcdError.self) {
          try await client.transaction(
            EtcdTransaction(then: [.put("key", "2")]), isRepeatable: false, timeout: patience)
        }
        #expect(error?.kind == .unavailable)
        #expect(error?.mayHaveRun == true)
        #expect(error?.failures.map(\.member) == ["127.0.0.1:\(servers[follower].port)"])
        // The next call begins at another.
        let again = try await client.transaction(
          EtcdTransaction(then: [.put("key", "3")]), isRepeatable: true, timeout: patience)
        #expect(!again.mayHaveRunBefore)
        try servers[follower].resume()
      }
    }
  }

  @Test func aRepeatedTransactionSaysSo() async throws {
    try await withEtcdServers(count: 3) { servers in
      let follower = try await memberIndex(of: servers, isLeader: false)
      try await withClient(
        servers,
        configure: {
          // Long enough that a busy machine does not make the client prefer another before.
          $0.preferredMember = follower; $0.attemptTimeout = .seconds(3)
        }
      ) { client in
        try await client.put("key", "1")
        try await servers[follower].pause()
        let result = try await client.transaction(
          EtcdTransaction(then: [.put("key", "2")]), isRepeatable: true, timeout: patience)
        #expect(result.mayHaveRunBefore)
        try servers[follower].resume()
      }
    }
  }

  private func memberIndex(of servers: [EtcdServer], isLeader: Bool) async throws -> Int {
    try await withClient(servers) { client in
      let statuses = await client.statuses(timeout: patience)
      #expect(statuses.count == servers.count)
      let member = try #require(statuses.first { $0.isLeader == isLeader }?.member)
      return try #require(servers.firstIndex { $0.port == member.port })
    }
  }
}
