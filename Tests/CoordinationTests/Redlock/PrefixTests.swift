import Coordination
import RESP
import Testing

@Suite struct PrefixTests {
  static let prefixes = ["", "p:", "p*[x]?\\^", "a b ", "é/", "{tag}"]

  @Test func storesWithDifferentPrefixesDoNotMeet() async throws {
    try await withCluster(1, stores: Self.prefixes.map { .prefix($0) }) { cluster in
      let key = NamespacedKey(namespace: "team", key: "a*")
      var leases: [LockLease] = []
      for store in cluster.stores {
        leases.append(try await store.take(key))
        _ = try await store.take(NamespacedKey(namespace: "team", key: "b"))
      }
      #expect(leases.allSatisfy { $0.fencingToken == 1 })
      for (prefix, lease) in zip(Self.prefixes, leases) {
        let value = try await cluster.direct[0].ask("GET", prefix + "team/a*").string
        #expect(value?.hasPrefix(lease.token.text) == true)
        #expect(try await cluster.direct[0].ask("GET", prefix + "_fence/team/a*").integer == 1)
      }
      for (prefix, store) in zip(Self.prefixes, cluster.stores) {
        let keys = try await store.keys(deadline: later)
        #expect(keys.count(where: { $0.namespace == "team" }) == 2, "\(prefix)")
        // Without a prefix all others look like locks in odd namespaces.
        if !prefix.isEmpty { #expect(keys.count == 2, "\(prefix)") }
        #expect(!keys.contains { $0.namespace.hasPrefix("_") })
      }
      let first = cluster.stores[1]
      #expect(
        try await first.release(key, token: leases[1].token, podUID: nil, deadline: later))
      #expect(try await !first.keys(deadline: later).contains(key))
      #expect(try await cluster.stores[2].isHeld(key, by: leases[2].token))
    }
  }
}
