import Coordination
import JSON
import PodHook
import ServiceKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct LockInspectionTests {
  private let time = ManualTime()
  private let store: ScriptedStore
  private var inspection: LockInspection { LockInspection(store: store, time: time) }

  init() { store = ScriptedStore(time: time) }

  private func hold(_ name: String, podUID: String? = "uid") async throws -> Token {
    let result = try await store.memory.acquire(
      NamespacedKey(namespace: "demo", key: name),
      as: Holder(pod: "pod-\(name)", podUID: podUID, since: 0), ttl: .seconds(30),
      deadline: .zero)
    guard case .granted(let lease) = result else { throw Admitting.Occupied() }
    return lease.token
  }

  private let key = NamespacedKey(namespace: "demo", key: "a")

  private func release(_ token: Token?) async throws -> LockInspection.Release {
    try await inspection.release(inspection.report(key), token: token)
  }

  @Test func showsAllThatAreHeld() async throws {
    _ = try await hold("b")
    _ = try await hold("a")
    let reports = try await inspection.status(nil)
    #expect(reports.map(\.key.description) == ["demo/a", "demo/b"])
  }

  @Test func showsOneAlsoIfItIsFree() async throws {
    let reports = try await inspection.status(key)
    #expect(reports.count == 1 && reports[0].snapshot.owner == nil)
  }

  @Test(arguments: [nil, "uid"])
  func releasesWhoeverHoldsIt(podUID: String?) async throws {
    let token = try await hold("a", podUID: podUID)
    guard case .released(let record) = try await release(nil) else {
      Issue.record("another answer")
      return
    }
    #expect(record.token == token)
    #expect(try await store.owner(key) == nil)
    guard case .free = try await release(nil) else {
      Issue.record("another answer")
      return
    }
  }

  @Test func releasesOnlyTheTokenThatWasNamed() async throws {
    let token = try await hold("a")
    guard case .others(let record) = try await release(Token("x"))
    else {
      Issue.record("another answer")
      return
    }
    #expect(record.token == token)
    #expect(try await store.owner(key) != nil)
    guard case .released = try await release(token) else {
      Issue.record("another answer")
      return
    }
  }

  /// Between the look and the release the lock lapsed, and another took it.
  @Test func releasesNobodyWhoWasNotShown() async throws {
    let token = try await hold("a", podUID: "old")
    let report = try await inspection.report(key)
    #expect(try await store.release(key, token: token, podUID: "old", deadline: .zero))
    let other = try await hold("a", podUID: "new")
    guard case .taken(let record) = try await inspection.release(report, token: nil) else {
      Issue.record("another answer")
      return
    }
    #expect(record.token == other && record.holder?.podUID == "new")
    #expect(try await store.owner(key)?.record.token == other)
  }

  /// A claim that its sidecar takes over between the look and the release is still the one shown.
  @Test func releasesAClaimThatIsBoundMeanwhile() async throws {
    let token = try await hold("a", podUID: nil)
    let report = try await inspection.report(key)
    let holder = Holder(pod: "pod-a", podUID: "uid", since: 0)
    _ = try await store.extend(
      key, LockLease.Known(token: token), as: holder, ttl: .seconds(30),
      deadline: .zero)
    #expect(try await store.owner(key)?.record.holder?.podUID == "uid")
    guard case .released = try await inspection.release(report, token: nil) else {
      Issue.record("another answer")
      return
    }
    #expect(try await store.owner(key) == nil)
  }

  @Test func runsTheStoreWhileItIsAsked() async throws {
    _ = try await hold("a")
    let count = try await withRunning([store]) { [inspection] in
      try await inspection.status(nil).count
    }
    #expect(count == 1)
  }

  @Test func aStoreThatDoesNotAnswerIsSaidInWords() async throws {
    store.fail(.inspect)
    let key = key
    let error = await #expect(throws: FatalError.self) {
      _ = try await withRunning([store]) { [inspection] in
        try await inspection.status(key)
      }
    }
    #expect(error?.message.contains("redis-1:6379: connection refused") == true)
  }
}
