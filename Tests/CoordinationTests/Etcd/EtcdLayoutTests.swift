import LocalServers
import Testing

@testable import Coordination

@Suite(.timeLimit(.minutes(5))) struct EtcdLayoutTests {
  @Test func keysAreEncodedAsTheLayoutSays() {
    #expect(EtcdLockKeys.encoded("plain-Key_1.é鍵🔑") == "plain-Key_1.é鍵🔑")
    #expect(EtcdLockKeys.encoded("a/b%c") == "a%2Fb%25c")
    #expect(
      EtcdLockKeys.encoded(" \t\n\u{0}\u{7F}\u{A0}\u{2003}\u{85}")
        == "%20%09%0A%00%7F%C2%A0%E2%80%83%C2%85")
  }

  /// Every lock finds its way back from its name, and no two share one.
  @Test func anyKeyIsFoundAgainByItsName() {
    var random = SeededRandom(seed: 7)
    let letters = ["a", "/", "%", "2", "F", " ", "\n", "é", "e\u{301}", "\u{301}", "鍵", "\u{0}"]
    // By their bytes, as etcd compares: `é` may be written in two ways.
    var names: [[UInt8]: NamespacedKey] = [:]
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 1...6, using: &random))
        .map { _ in letters.randomElement(using: &random) ?? "" }.joined()
      let key = NamespacedKey(namespace: "team-1", key: text)
      let token = EtcdLockKeys(prefix: "p/", key: key).contenders + "2a"
      let name = Array(token.utf8)
      #expect(EtcdLockKeys.lockKey(of: name, prefix: "p/") == key)
      #expect(names.updateValue(key, forKey: name).map { $0 == key } ?? true)
      #expect(!token.contains { $0.isWhitespace })
    }
  }

  @Test(arguments: [
    "team/key", "team/key/", "team/key/0a", "team/key/A", "team/key/xyz", "team/a/b/1", "/key/1",
    "_opened/team/key", "_opened/team/1", "Team/key/1", "team//1", "team/%2f/1", "team/%zz/1",
    "team/key/11111111111111111", "registry/pods/default/a",
  ])
  func otherNamesAreNoLocks(name: String) {
    #expect(EtcdLockKeys.lockKey(of: Array(name.utf8), prefix: "") == nil)
  }

  @Test func whatIsInEtcdIsWhatTheLayoutSays() async throws {
    try await withEtcdStore(1) { servers, _ in
      try await withEtcdStore(on: servers, prefix: "hooks/") { store in
        let key = NamespacedKey(namespace: "team", key: "a/b")
        let lease = try await store.take(key, as: .pod("pod"))
        #expect(lease.token.text.hasPrefix("hooks/team/a%2Fb/"))
        _ = try await store.extend(key, lease.token, as: .pod("pod", uid: "u1"))
        #expect(
          try await store.recordOpened(key, token: lease.token, podUID: "u1", deadline: later))
        let lines = try await servers[0].etcdctl("get", "--prefix", "")
        #expect(lines.count == 4)
        #expect(lines[0] == "hooks/_opened/team/a%2Fb/u1")
        #expect(lines[1] == lease.token.text)
        #expect(lines[2] == lease.token.text)
        #expect(lines[3].hasSuffix(" " + Holder.pod("pod", uid: "u1").text))
        // Another prefix is another store.
        try await withEtcdStore(on: servers) { other in
          let isFree = try await other.isFree(key)
          #expect(isFree)
          #expect(try await other.keys(deadline: later).isEmpty)
        }
      }
    }
  }

  @Test func aClusterThatIsFullIsFound() async throws {
    let settings = EtcdServer.Settings(arguments: ["--quota-backend-bytes", "200000"])
    try await withEtcdStore(1, settings: settings) { servers, store in
      #expect(await store.findings(deadline: later).isEmpty)
      let key = NamespacedKey(namespace: "team", key: "full")
      try await eventually("etcd is full") {
        let process = try await servers[0].startEtcdctl([
          "put", "filler", String(repeating: "x", count: 100_000),
        ])
        _ = try await process.waitForExit()
        return await !store.findings(deadline: later).isEmpty
      }
      let error = try await storeError {
        try await store.acquire(key, as: .pod("a"), ttl: .seconds(60), deadline: later)
      }
      #expect(error.kind == .noQuorum)
      #expect("\(error)".contains("space exceeded"))
    }
  }
}
