import Coordination
import LocalServers
import Testing

/// `etcdctl lock` contends for the same locks, by etcd's own implementation of the recipe.
@Suite(.timeLimit(.minutes(5))) struct EtcdctlTests {
  private let key = NamespacedKey(namespace: "team", key: "shared")

  @Test func etcdctlWaitsForUsAndGetsTheLockAfterOurRelease() async throws {
    try await withEtcdStore(1) { servers, store in
      let ours = try await store.take(key, as: .pod("a", uid: "u1"))
      let process = try await servers[0].startEtcdctl(["lock", "team/shared"])
      // Its key waits behind ours.
      try await eventually("etcdctl contends") {
        try await servers[0].etcdctl("get", "--prefix", "--keys-only", "team/shared/")
          .filter { !$0.isEmpty }.count == 2
      }
      #expect(process.output.isEmpty)
      let extended = try await store.extend(key, ours.token, as: .pod("a", uid: "u1"))
      #expect(extended.lease?.fencingToken == ours.fencingToken)
      #expect(try await store.isHeld(key, by: ours.token))

      #expect(try await store.release(key, token: ours.token, podUID: "u1", deadline: later))
      let name = try await process.line(containing: "team/shared/")
      let snapshot = try await store.inspect(key, podUID: nil, deadline: later)
      #expect(snapshot.owner?.record == LockRecord(token: Token(name), holder: nil))
      #expect(snapshot.fencingToken > ours.fencingToken)
      // Not ours to give up, nor to extend, whatever we claim.
      let foreign = Token(name)
      #expect(try await store.extend(key, foreign, as: .pod("a", uid: "u1")).isNotHeld)
      #expect(try await !store.release(key, token: foreign, podUID: nil, deadline: later))

      process.signal(.interrupt)
      _ = try await process.waitForExit()
      try await eventually("the lock is free") { try await store.isFree(key) }
      #expect(try await store.take(key).fencingToken > snapshot.fencingToken)
    }
  }

  @Test func whatEtcdctlHoldsIsTaken() async throws {
    try await withEtcdStore(3) { servers, store in
      let process = try await servers[1].startEtcdctl(["lock", "--ttl", "300", "team/shared"])
      let name = try await process.line(containing: "team/shared/")
      let taken = try await store.acquire(
        key, as: .pod("a"), ttl: .seconds(60), deadline: later)
      let owner = try #require(taken.owner)
      #expect(owner.record == LockRecord(token: Token(name), holder: nil))
      #expect(try #require(owner.timeLeft) > .seconds(100))
      let fencingToken = try await store.inspect(key, podUID: nil, deadline: later).fencingToken
      process.signal(.interrupt)
      _ = try await process.waitForExit()
      try await eventually("the lock is granted") {
        let next = try await store.acquire(
          key, as: .pod("a"), ttl: .seconds(60), deadline: later)
        guard let lease = next.lease else { return false }
        return lease.fencingToken > fencingToken
      }
    }
  }
}
