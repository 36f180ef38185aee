import Coordination
import ServiceLifecycle
import Testing

/// A store that runs only for those who need it.
@Suite(.timeLimit(.minutes(2))) struct OnDemandLockStoreTests {
  private struct Running: Service {
    let store: OnDemandLockStore
    func run() async throws { try await store.run() }
  }

  private let inner = ScriptedStore(time: ManualTime())
  private let store: OnDemandLockStore

  init() { store = OnDemandLockStore(inner) }

  private func acquire() async throws {
    let holder = Holder(pod: "p", since: 0)
    _ = try await store.acquire(
      Admitting.key, as: holder, ttl: .seconds(5), deadline: .seconds(2000))
  }

  @Test func whatNobodyNeedsNeverRuns() async throws {
    let ending = try await Ending.of(Running(store: store)) { group async throws in
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned && inner.calls == [])
  }

  @Test func norDoesItWhenItIsCancelled() async throws {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await store.run() }
      group.cancelAll()
    }
    #expect(inner.calls == [])
  }

  @Test func theFirstQuestionStartsIt() async throws {
    let ending = try await Ending.of(Running(store: store)) { group async throws in
      try await acquire()
      await inner.called(.run)
      // Once: later questions find it running.
      try await acquire()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(inner.calls.count { $0 == .run } == 1 && inner.calls.count { $0 == .acquire } == 2)
  }

  @Test func aQuestionBeforeItRunsIsRemembered() async throws {
    try await acquire()
    #expect(inner.calls == [.acquire])
    let ending = try await Ending.of(Running(store: store)) { group async throws in
      await inner.called(.run)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
  }

  @Test func runningItEndsWhenItIsCancelled() async throws {
    try await acquire()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await store.run() }
      await inner.called(.run)
      group.cancelAll()
    }
  }

  @Test func everyQuestionIsHandedOnAndStartsIt() async throws {
    let (key, token, deadline) = (Admitting.key, Token("t"), Duration.seconds(2000))
    let holder = Holder(pod: "p", podUID: "u", since: 0)
    let questions: [(ScriptedStore.Operation, (OnDemandLockStore) async throws -> Void)] = [
      (.acquire, { _ = try await $0.acquire(key, as: holder, ttl: .zero, deadline: deadline) }),
      (
        .extend,
        {
          _ = try await $0.extend(
            key, .init(token: token), as: holder, ttl: .zero, deadline: deadline)
        }
      ),
      (
        .recordOpened,
        { _ = try await $0.recordOpened(key, token: token, podUID: "u", deadline: deadline) }
      ),
      (.forgetOpened, { try await $0.forgetOpened(key, podUID: "u", deadline: deadline) }),
      (.release, { _ = try await $0.release(key, token: token, podUID: "u", deadline: deadline) }),
      (.giveBack, { $0.giveBack(key, token: token, podUID: "u") }),
      (.inspect, { _ = try await $0.inspect(key, podUID: nil, deadline: deadline) }),
      (.keys, { _ = try await $0.keys(deadline: deadline) }),
      (.check, { try await $0.check(deadline: deadline) }),
    ]
    for (operation, ask) in questions {
      let inner = ScriptedStore(time: ManualTime())
      let store = OnDemandLockStore(inner)
      try await ask(store)
      #expect(inner.calls == [operation])
      _ = try await Ending.of(Running(store: store)) { group async throws in
        await inner.called(.run)
        await group.triggerGracefulShutdown()
      }
    }
  }

  @Test func faultsAreHandedOn() async throws {
    inner.fail(.acquire)
    await #expect(throws: StoreError.self) { try await acquire() }
  }
}
