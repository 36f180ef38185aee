import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct LossTests {
  /// 60 s from the last renewal that was answered, less 5 s of margin.
  @Test func theLockIsLostBeforeTheLeaseCanRunOut() async throws {
    let keeping = try await Keeping.claimed()
    let ending = try await keeping.run { _ async throws in
      await keeping.time.settle()
      let giveUp = keeping.time.now + .seconds(55)
      keeping.store.fail(.extend)
      while let alarm = keeping.time.nextAlarm, alarm < giveUp { await keeping.time.step() }
      // Tries go on until then, and the lock counts until then.
      #expect(keeping.time.nextAlarm == giveUp)
      keeping.time.advance(to: giveUp - .nanoseconds(1))
      #expect(keeping.isReady)
      keeping.time.advance(to: giveUp)
      #expect(!keeping.isHeld)
    }
    #expect(ending == .exited(42))
    #expect(keeping.store.calls.filter { $0 == .extend }.count > 40)
    #expect(
      keeping.logs.lines.contains { $0.hasPrefix("error: lock lost") && $0.contains("expiring") })
    // The application may be running still: nobody gets the lock before the margin is over.
    #expect(!keeping.store.calls.contains(.release))
    #expect(try await keeping.owner()?.timeLeft == .seconds(5))
    #expect(try await keeping.store.isOpened(Keeping.key, Keeping.uid))
  }

  @Test func aFrozenSidecarGivesUpWhenItWakes() async throws {
    let keeping = try await Keeping.claimed()
    let ending = try await keeping.run { _ async throws in
      await keeping.time.settle()
      keeping.time.advance(by: .seconds(3600))
      #expect(!keeping.isHeld)
    }
    #expect(ending == .exited(42))
    #expect(keeping.store.calls == [.inspect, .extend, .recordOpened])
  }

  @Test func theLockIsLostAsSoonAsTheStoreSaysThatAnotherHoldsIt() async throws {
    let keeping = try await Keeping.claimed()
    let ending = try await keeping.run { _ async throws in
      await keeping.time.settle()
      try await keeping.occupy()
      keeping.time.advance(by: .seconds(11))
    }
    #expect(ending == .exited(42))
    #expect(!keeping.isHeld)
    #expect(try await keeping.owner()?.record.holder?.pod == "other-1")
    #expect(keeping.logs.lines.contains { $0.contains("lock lost") && $0.contains("reason=taken") })
  }

  @Test func theLockIsLostIfItIsGone() async throws {
    let keeping = try await Keeping.claimed()
    let ending = try await keeping.run { _ async throws in
      await keeping.time.settle()
      keeping.store.memory.giveBack(
        Keeping.key, token: keeping.configuration.token, podUID: Keeping.uid)
      keeping.time.advance(by: .seconds(11))
    }
    #expect(ending == .exited(42))
    #expect(try await keeping.owner() == nil)
  }

  /// Without a fence by exit code the sidecar says no, and waits for its turn again.
  @Test(arguments: [(Fence.liveness, true), (.none, true), (.restartAll, false)])
  func otherwiseItWaitsAgain(fence: Fence, isGated: Bool) async throws {
    let keeping = try await Keeping.claimed(fence: fence, isGated: isGated)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isHeld)
      let other = try await keeping.occupy(ttl: .seconds(30))
      await keeping.time.step()
      #expect(!keeping.isHeld)
      await keeping.time.step(2)
      #expect(!keeping.isHeld)
      #expect(try await keeping.owner()?.record.token == other)
      keeping.time.advance(by: .seconds(30))
      await keeping.time.settle()
      #expect(keeping.isHeld)
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 3)
      await group.triggerGracefulShutdown()
      // The application ends at the same time: keep the lock for it.
      if !isGated {
        await keeping.time.settle(2)
        keeping.time.advance(by: .seconds(9))
      }
    }
    #expect(ending == .returned)
    #expect(try await keeping.owner() == nil)
  }

  @Test func afterAnExpiryWithLivenessTheSameLockIsTakenUpAgain() async throws {
    let keeping = try await Keeping.claimed(fence: .liveness)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.store.fail(.extend)
      keeping.time.advance(by: .seconds(55))
      await keeping.time.settle()
      #expect(!keeping.isHeld)
      keeping.store.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 1)
      await group.triggerGracefulShutdown()
    }
  }
}
