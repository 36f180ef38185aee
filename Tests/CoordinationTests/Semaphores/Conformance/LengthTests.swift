import Coordination
import Testing

@Suite(.sharedQueues) struct LengthTests {
  @Test(arguments: SemaphoreKind.allCases)
  func aLoweredLengthDrainsWithoutEvictingAnyone(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "lowered")
    var tokens: [Token] = []
    for pod in 0..<4 {
      tokens.append(try await store.permit(key, of: 4, as: .pod("p\(pod)", uid: "p\(pod)")))
    }
    #expect(try await store.settle(key, 2).numbers == [2, 0, 4])
    for (pod, token) in tokens.enumerated() {
      #expect(
        try await store.heartbeat(key, token, as: .pod("p\(pod)", uid: "p\(pod)")) == .alive)
    }
    for (released, numbers) in [[2, 0, 3], [2, 0, 2], [2, 1, 1], [2, 2, 0]].enumerated() {
      if released <= 2 { #expect(try await store.pop(key, 2) == nil) }
      #expect(try await store.release(key, tokens[released], "p\(released)"))
      #expect(try await store.counts(key).numbers == numbers)
      #expect(try await store.settle(key, 2).numbers == numbers)
    }
  }

  @Test(arguments: SemaphoreKind.allCases)
  func freePermitsAreTrimmedAtOnce(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "trimmed")
    let token = try await store.permit(key, of: 10)
    #expect(try await store.settle(key, 3).numbers == [3, 2, 1])
    #expect(try await store.settle(key, 1).numbers == [1, 0, 1])
    #expect(try await store.pop(key, 1) == nil)
    #expect(try await store.release(key, token))
    #expect(try await store.counts(key).numbers == [1, 1, 0])
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aRaisedLengthAdmitsAtOnce(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "raised")
    let token = try await store.permit(key, of: 1)
    #expect(try await store.pop(key, 1) == nil)
    #expect(try await store.settle(key, 3).numbers == [3, 2, 1])
    #expect(try await store.pop(key, 3) != nil)
    #expect(try await store.pop(key, 3) != nil)
    #expect(try await store.pop(key, 3) == nil)
    #expect(try await store.isInFlight(key, token))
  }

  /// Another may have stated more than the caller.
  @Test(arguments: SemaphoreKind.allCases)
  func noMoreAreInFlightThanTheCallerStates(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "stated")
    _ = try await store.settle(key, 5)
    #expect(try await store.pop(key, 2) != nil)
    #expect(try await store.pop(key, 2) != nil)
    #expect(try await store.pop(key, 2) == nil)
    #expect(try await store.counts(key).numbers == [5, 3, 2])
  }

  @Test(arguments: SemaphoreKind.allCases)
  func aHundredThousandPermitsAreAsGoodAsTen(kind: SemaphoreKind) async throws {
    let store = try store(kind)
    let key = NamespacedKey(namespace: "team", key: "long")
    // In etcd each placeholder is a key with its history: so many take seconds, on a busy machine
    // minutes.
    let most = kind.usesLeases ? 10_000 : 100_000
    #expect(try await store.settle(key, most).numbers == [most, most, 0])
    let token = try #require(try await store.pop(key, most))
    #expect(try await store.settle(key, most).numbers == [most, most - 1, 1])
    #expect(try await store.release(key, token))
    #expect(try await store.settle(key, 1001).numbers == [1001, 1001, 0])
    #expect(try await store.settle(key, most - 1).numbers == [most - 1, most - 1, 0])
    #expect(try await store.settle(key, 1).numbers == [1, 1, 0])
  }
}
