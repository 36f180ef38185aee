import Coordination
import Testing

@Suite(.sharedQueues) struct SemaphoreLookingTests {
  @Test(arguments: SemaphoreKind.allCases)
  func keysWithOddCharactersAreKeysLikeOthers(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let keys = LookingTests.oddKeys.map { NamespacedKey(namespace: "odd", key: $0) }
    var tokens: [NamespacedKey: Token] = [:]
    for key in keys { tokens[key] = try await store.permit(key, of: 1, as: .pod(key.key)) }
    let listed = try await store.keys(deadline: later).filter { $0.namespace == "odd" }
    #expect(Set(listed) == Set(keys))
    #expect(listed.count == keys.count)
    for key in keys {
      let permits = try await store.permits(key)
      #expect(permits.map(\.token) == [tokens[key]])
      #expect(permits.map(\.holder) == [.pod(key.key)])
      #expect(try await store.release(key, #require(tokens[key])))
      #expect(try await store.counts(key).numbers == [1, 1, 0])
    }
  }

  @Test(arguments: SemaphoreKind.allCases)
  func holdersAreListedBySilence(kind: SemaphoreKind) async throws {
    let subject = try subject(kind)
    let store = subject.store
    let key = NamespacedKey(namespace: "team", key: "by-silence")
    var tokens: [Token] = []
    for pod in 0..<4 {
      tokens.append(try await store.permit(key, of: 9, as: .pod("p\(pod)", uid: "p\(pod)")))
      try await subject.pass(store.staleAfter * 0.1, key)
    }
    _ = try await store.heartbeat(key, tokens[1], as: .pod("p1", uid: "p1"))
    let permits = try await store.permits(key)
    #expect(permits.map(\.token) == [tokens[0], tokens[2], tokens[3], tokens[1]])
    #expect(permits.map { $0.holder?.pod } == ["p0", "p2", "p3", "p1"])
    let first = try #require(permits.first)
    #expect(first.silence >= store.staleAfter * 0.4 && first.silence < store.staleAfter * 0.9)
    #expect(try #require(permits.last).silence < store.staleAfter * 0.1)
    let counts = try await store.counts(key)
    #expect(counts.oldest?.token == tokens[0])
    #expect(counts.oldest?.holder == .pod("p0", uid: "p0"))
    #expect(try #require(counts.oldest).silence >= first.silence)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func holdersWithOddNamesAreShownAsTheyAre(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "odd-holder")
    let holder = Holder(
      pod: "web-\u{1F511}-\"x\"\u{0}", isGeneratedName: true, podUID: "u1", node: "n 1",
      owner: "ReplicaSet/web-5d", since: 1_700_000_123)
    let token = try await store.permit(key, of: 1, as: holder)
    #expect(try await store.permit(key, token: token, deadline: later)?.holder == holder)
    #expect(try await store.permit(key, token: .uuid(), deadline: later) == nil)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func allOfManyHoldersAreListed(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "many")
    // More than are asked for at once.
    let count = kind.usesLeases ? 1100 : 2500
    _ = try await store.settle(key, count)
    let tokens = try await withThrowingTaskGroup(of: [Token?].self) { group in
      let clients = 16
      for client in 0..<clients {
        group.addTask {
          var tokens: [Token?] = []
          for pod in stride(from: client, to: count, by: clients) {
            tokens.append(try await store.pop(key, count, as: .pod("p\(pod)")))
          }
          return tokens
        }
      }
      return try await group.reduce(into: Set()) { $0.formUnion($1) }
    }
    let permits = try await store.permits(key)
    #expect(permits.count == count)
    #expect(Set(permits.map(\.token)) == tokens)
    #expect(Set(permits.map { $0.holder?.pod }).count == count)
    #expect(zip(permits, permits.dropFirst()).allSatisfy { $0.silence >= $1.silence - .seconds(5) })
  }

  @Test(arguments: SemaphoreKind.allCases)
  func manyKeysAreListedInOrder(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let keys = (1000..<(kind.usesLeases ? 1060 : 1300)).map {
      NamespacedKey(namespace: "listed", key: "\($0)")
    }
    for (place, key) in keys.enumerated().shuffled() {
      // Some have only a queue, some only a permit in flight, some both.
      if place % 3 == 0 {
        _ = try await store.settle(key, 1)
      } else {
        _ = try await store.permit(key, of: place % 3)
      }
    }
    #expect(try await store.keys(deadline: later).filter { $0.namespace == "listed" } == keys)
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aStoreThatWorksSaysSo(kind: SemaphoreKind) async throws {
    try await store(kind).check(deadline: later)
  }
}
