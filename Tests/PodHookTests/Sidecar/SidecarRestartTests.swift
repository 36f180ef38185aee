import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

/// A sidecar that starts where one was before.
@Suite(.timeLimit(.minutes(2))) struct SidecarRestartTests {
  /// A Pod that has the lock open under a token of its own, and whose sidecar is gone.
  private func crashed(fence: Fence = .restartAll) async throws -> Keeping {
    let before = Keeping()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await before.sidecar.run() }
      await before.time.settle()
      // Cancelled, not told to stop: nothing is given back.
      group.cancelAll()
    }
    #expect(try await before.owner()?.record.holder?.podUID == Keeping.uid)
    return Keeping(fence: fence, beside: before)
  }

  @Test func inTimeItGoesOnWithTheSameTokenAndFencingToken() async throws {
    let keeping = try await crashed()
    let token = try #require(try await keeping.owner()?.record.token)
    #expect(token != keeping.configuration.token)
    keeping.time.advance(by: .seconds(50))
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(try await keeping.owner()?.record.token == token)
      #expect(try await keeping.owner()?.timeLeft == .seconds(60))
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 1)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(try await keeping.owner() == nil)
  }

  /// The application ran on without a lock: it has to stop before the lock may be had again.
  @Test(arguments: [true, false])
  func tooLateItFencesFirst(isTaken: Bool) async throws {
    let keeping = try await crashed()
    keeping.time.advance(by: .seconds(60))
    if isTaken { try await keeping.occupy(ttl: .seconds(5)) }
    let calls = keeping.store.calls.count
    #expect(try await keeping.run { _ in } == .exited(42))
    #expect(keeping.store.calls.dropFirst(calls) == [.forgetOpened])
    #expect(!keeping.isHeld)
    #expect(try await !keeping.store.isOpened(Keeping.key, Keeping.uid))
    // All containers have been restarted: now it takes part again.
    let next = Keeping(beside: keeping)
    _ = try await next.run { group async throws in
      await next.time.settle()
      #expect(next.isReady == !isTaken)
      next.time.advance(by: .seconds(5))
      await next.time.settle()
      #expect(next.isReady)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func tooLateWithLivenessItSaysNoAndWaits() async throws {
    let keeping = try await crashed(fence: .liveness)
    keeping.time.advance(by: .seconds(60))
    try await keeping.occupy(ttl: .seconds(5))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(!keeping.isHeld)
      #expect(keeping.logs.lines.contains { $0.contains("reason=absent") })
      keeping.time.advance(by: .seconds(5))
      await keeping.time.settle()
      #expect(keeping.isReady)
      await group.triggerGracefulShutdown()
    }
  }

  /// A record that stays costs one more restart; an application that runs on may cost more.
  @Test func theFenceDoesNotWaitForTheRecord() async throws {
    let keeping = try await crashed()
    keeping.time.advance(by: .seconds(60))
    keeping.store.fail(.forgetOpened)
    #expect(try await keeping.run { _ in } == .exited(42))
    // No note in the Pod any more: now it is the store that knows.
    let next = Keeping(beside: keeping)
    #expect(try await next.run { _ in } == .exited(42))
    keeping.store.recover()
    let last = Keeping(beside: keeping)
    #expect(try await last.run { _ in } == .exited(42))
    #expect(try await !keeping.store.isOpened(Keeping.key, Keeping.uid))
  }
}
