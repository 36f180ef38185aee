import Coordination
import LocalServers
import RESP
import Testing

/// Holders that do anything, servers that fail at any moment, one at a time: as the holders see it,
/// no two leases overlap, and fencing tokens grow.
@Suite struct RandomFaultTests {
  private static let key = NamespacedKey(namespace: "team", key: "model")
  private static let ttl = Duration.milliseconds(1500)

  @Test(arguments: [UInt64.random(in: 0 ... .max)])
  func noTwoHoldersAndNoTokenTwice(seed: UInt64) async throws {
    let stores = Array(
      repeating: RedlockStore.Configuration.nodeTimeout(.milliseconds(250)), count: 6)
    try await withCluster(3, stores: stores, settings: .init(appendOnly: true)) { cluster in
      let diary = Observed(Diary())
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, store) in cluster.stores.dropFirst().enumerated() {
          group.addTask {
            var random = SeededRandom(seed: seed &+ UInt64(number) &+ 1)
            while !Task.isCancelled {
              await Self.live(as: "pod-\(number)", on: store, diary, using: &random)
            }
          }
        }
        var random = SeededRandom(seed: seed)
        // On a slow machine until enough has happened.
        for turn in 0..<100 where turn < 14 || diary.current.tenures.count < 15 {
          switch Int.random(in: 0..<4, using: &random) {
          case 0: try await Self.pause(cluster, using: &random)
          case 1: try await Self.restart(cluster, using: &random)
          default: try await Self.empty(cluster, diary, using: &random)
          }
        }
        group.cancelAll()
      }
      let tenures = diary.current.tenures
      #expect(tenures.count >= 15)
      for (one, next) in zip(tenures, tenures.dropFirst()) {
        #expect(one.until <= next.from, "\(one) \(next)")
        #expect(one.last < next.first, "\(one) \(next)")
      }
    }
  }

  // MARK: Holders

  /// From where to where a holder thought that the lock was its own, and under which numbers.
  private struct Tenure: Sendable {
    let pod: String
    let from: Duration
    var until: Duration
    let first: UInt64
    var last: UInt64
  }

  private struct Diary: Sendable {
    private var byToken: [Token: Tenure] = [:]
    var tenures: [Tenure] { byToken.values.sorted { $0.from < $1.from } }

    func last(of token: Token) -> UInt64? { byToken[token]?.last }
    func until(of token: Token) -> Duration { byToken[token]?.until ?? .zero }

    mutating func took(_ lease: LockLease, _ pod: String) {
      byToken[lease.token] = Tenure(
        pod: pod, from: time.now, until: lease.validUntil, first: lease.fencingToken,
        last: lease.fencingToken)
    }

    mutating func extended(_ lease: LockLease) {
      byToken[lease.token]?.until = lease.validUntil
      byToken[lease.token]?.last = lease.fencingToken
    }

    mutating func ended(_ token: Token) {
      let until = min(until(of: token), time.now)
      byToken[token]?.until = until
    }
  }

  /// One life of a holder: take the lock if it is free, keep it for a while, let go of it somehow.
  private static func live(
    as pod: String, on store: RedlockStore, _ diary: Observed<Diary>,
    using random: inout SeededRandom
  ) async {
    let holder = Holder.pod(pod, uid: Bool.random(using: &random) ? "\(pod)-uid" : nil)
    let patience = Duration.milliseconds(Int.random(in: 20...1500, using: &random))
    let acquisition = try? await store.acquire(
      key, as: holder, ttl: ttl, deadline: time.now + patience)
    guard let lease = acquisition?.lease else {
      try? await Task.sleep(for: .milliseconds(Int.random(in: 1...60, using: &random)))
      return
    }
    diary.update { $0.took(lease, pod) }
    let bound = Holder.pod(pod, uid: "\(pod)-uid")
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      try? await Task.sleep(for: .milliseconds(Int.random(in: 0...150, using: &random)))
      let knowing = Bool.random(using: &random) ? diary.current.last(of: lease.token) : nil
      let result = try? await store.extend(
        key, .init(token: lease.token, fencingToken: knowing), as: bound, ttl: ttl,
        deadline: time.now + .milliseconds(600))
      if let next = result?.lease {
        diary.update { $0.extended(next) }
      } else if result?.isNotHeld == true {
        // Never while the lease lasts, whatever a single server does.
        #expect(diary.current.until(of: lease.token) <= time.now)
        return
      }
    }
    switch Int.random(in: 0..<3, using: &random) {
    case 0:
      diary.update { $0.ended(lease.token) }
      _ = try? await store.release(
        key, token: lease.token, podUID: bound.podUID, deadline: time.now + .seconds(1))
    case 1:
      diary.update { $0.ended(lease.token) }
      store.giveBack(key, token: lease.token, podUID: bound.podUID)
    default: break  // It crashes: the lease runs out.
    }
  }

  // MARK: Faults

  private static func pause(_ cluster: Cluster, using random: inout SeededRandom) async throws {
    let server = cluster.servers[Int.random(in: 0..<3, using: &random)]
    try await server.pause()
    try await Task.sleep(for: .milliseconds(Int.random(in: 1...700, using: &random)))
    server.resume()
  }

  private static func restart(_ cluster: Cluster, using random: inout SeededRandom) async throws {
    let server = cluster.servers[Int.random(in: 0..<3, using: &random)]
    try await server.kill()
    try await Task.sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
    try await server.restart()
    try await cluster.waitUntilConnected()
  }

  /// Loses all data of one server while both others hold the lock and have its number: what is
  /// guaranteed needs no more.
  private static func empty(
    _ cluster: Cluster, _ diary: Observed<Diary>, using random: inout SeededRandom
  ) async throws {
    let store = cluster.store
    let holder = Holder.pod("guardian", uid: "guardian")
    let node = Int.random(in: 0..<3, using: &random)
    try await cluster.waitUntilConnected()
    let lease = try await withDeadline(.seconds(60), "the guardian gets the lock") {
      while true {
        let acquisition = try? await store.acquire(
          key, as: holder, ttl: .seconds(60), deadline: time.now + .seconds(1))
        if let lease = acquisition?.lease { return lease }
        try await Task.sleep(for: .milliseconds(10))
      }
    }
    diary.update { $0.took(lease, "guardian") }
    @Sendable func isEverywhere() async throws -> Bool {
      // On a busy machine a server may be late: it is asked again.
      let next = try? await store.extend(
        key, .init(token: lease.token, fencingToken: lease.fencingToken), as: holder,
        ttl: .seconds(60), deadline: time.now + .seconds(2)
      ).lease
      if let next { diary.update { $0.extended(next) } }
      let values = try await cluster.values(of: key)
      let counters = try await cluster.counters(of: key)
      return next != nil && values.allSatisfy { $0?.hasPrefix(lease.token.text) == true }
        && counters.allSatisfy { $0 >= Int64(lease.fencingToken) }
    }
    try await eventually("all servers have the lock", isEverywhere)
    try await cluster.servers[node].restart(empty: true)
    try await cluster.waitUntilConnected()
    try await eventually("all servers have the lock again", isEverywhere)
    diary.update { $0.ended(lease.token) }
    try await eventually("the guardian lets go") {
      let answer = try? await store.release(
        key, token: lease.token, podUID: "guardian", deadline: later)
      return answer != nil
    }
  }
}
