import Coordination
import LocalServers
import RESP
import Testing

@Suite struct SplitVoteTests {
  private let key = NamespacedKey(namespace: "team", key: "split")

  @Test func aSplitVoteIsTriedAgainUntilTheOthersGiveUp() async throws {
    try await withCluster(3) { cluster in
      try await cluster.direct[0].ask("SET", key.description, "x", "PX", "200")
      try await cluster.direct[1].ask("SET", key.description, "y", "PX", "400")
      let lease = try await cluster.store.take(key)
      #expect(try await cluster.store.isHeld(key, by: lease.token))
    }
  }

  @Test func aVoteThatStaysSplitIsContention() async throws {
    try await withCluster(3) { cluster in
      try await cluster.direct[0].ask("SET", key.description, "x")
      try await cluster.direct[1].ask("SET", key.description, "y")
      let start = time.now
      let error = try await storeError {
        try await cluster.store.acquire(
          key, as: .pod("a"), ttl: .seconds(90), deadline: start + .seconds(6))
      }
      #expect(error.kind == .contended)
      #expect(error.failures.isEmpty)
      try await eventually("the third server has nothing") {
        try await cluster.direct[2].ask("EXISTS", key.description).integer == 0
      }
      // Nobody's for certain: shown as free, and not for extending.
      #expect(try await cluster.store.isFree(key))
      #expect(try await cluster.store.extend(key, .random(), as: .pod("a", uid: "u")).isNotHeld)
    }
  }

  @Test func aSplitVoteNamesTheServerThatIsDown() async throws {
    try await withCluster(3) { cluster in
      try await cluster.direct[0].ask("SET", key.description, "x")
      try await cluster.servers[1].kill()
      let error = try await storeError {
        try await cluster.store.acquire(
          key, as: .pod("a"), ttl: .seconds(90), deadline: time.now + .seconds(6))
      }
      #expect(error.kind == .contended)
      #expect(error.failures.map(\.member) == [cluster.servers[1].address])
      #expect(error.description.contains("split"))
      #expect(error.description.contains(cluster.servers[1].address))
    }
  }

  @Test func oneStrayVoteDoesNotKeepTheLockFromTheNext() async throws {
    try await withCluster(3) { cluster in
      try await cluster.direct[1].ask("SET", key.description, "stray")
      let lease = try await cluster.store.take(key, as: .pod("a", uid: "u1"))
      let next = try await cluster.store.extend(
        key, lease.token, as: .pod("a", uid: "u1"), knowing: lease.fencingToken)
      #expect(next.lease?.fencingToken == lease.fencingToken)
      // Another's lock is not replaced.
      #expect(try await cluster.direct[1].ask("GET", key.description).string == "stray")
      #expect(
        try await cluster.store.release(key, token: lease.token, podUID: "u1", deadline: later))
    }
  }
}
