import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct HandOverTests {
  @Test func theClaimIsBoundRecordedAndThenTheGateOpens() async throws {
    let keeping = try await Keeping.claimed()
    keeping.store.before { operation in
      // Nothing may start before the store knows that it will.
      if operation == .extend { #expect(!keeping.isHeld) }
      if operation == .recordOpened { #expect(keeping.isHeld && !keeping.isReady) }
    }
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.store.calls == [.inspect, .extend, .recordOpened])
      #expect(keeping.isReady)
      let owner = try await keeping.owner()
      #expect(owner?.record.token == keeping.configuration.token)
      #expect(owner?.timeLeft == .seconds(60))
      let holder = owner?.record.holder
      #expect(holder?.podUID == Keeping.uid && holder?.node == "node-1")
      // Who it is for and since when is known since admission.
      #expect(holder?.owner == "ReplicaSet/app" && holder?.since == Keeping.today - 5)
      #expect(try await keeping.store.isOpened(Keeping.key, Keeping.uid))
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
  }

  @Test func aClaimThatLapsedIsAcquiredAnew() async throws {
    let keeping = try await Keeping.claimed()
    keeping.time.advance(by: .seconds(120))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(try await keeping.owner()?.record.token != keeping.configuration.token)
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 2)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func whileAnotherHoldsItTheSidecarWaits() async throws {
    let keeping = Keeping()
    let other = try await keeping.occupy(ttl: .seconds(2))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(!keeping.isHeld)
      for _ in 0..<3 {
        let pause = try #require(keeping.time.nextAlarm) - keeping.time.now
        #expect(pause >= .milliseconds(400) && pause <= .milliseconds(600))
        await keeping.time.step()
      }
      #expect(!keeping.isHeld && !keeping.sidecar.view.isOpen)
      #expect(try await keeping.owner()?.record.token == other)
      #expect(keeping.logs.lines.filter { $0.contains("waiting for the lock") }.count == 1)
      #expect(keeping.logs.lines.contains { $0.contains("holder=other-1") })
      keeping.time.advance(by: .seconds(2))
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 2)
      await group.triggerGracefulShutdown()
    }
  }

  /// A copied Pod brings a token that is bound to somebody else.
  @Test func aTokenBoundToAnotherPodIsWorthNothing() async throws {
    let original = try await Keeping.claimed()
    let copy = Keeping(token: original.configuration.token, uid: "uid-copy", beside: original)
    _ = try await original.run { group async throws in
      await original.time.settle()
      _ = try await copy.run { copyGroup async throws in
        await original.time.settle(2)
        #expect(original.isReady && !copy.isHeld)
        #expect(try await original.owner()?.record.holder?.podUID == Keeping.uid)
        await copyGroup.triggerGracefulShutdown()
      }
      // Its end does not release what it never held.
      #expect(original.isReady)
      #expect(try await original.owner()?.record.holder?.podUID == Keeping.uid)
      await group.triggerGracefulShutdown()
    }
  }

  @Test(arguments: [ScriptedStore.Operation.inspect, .extend, .recordOpened])
  func theGateStaysShutUntilTheStoreAnswers(operation: ScriptedStore.Operation) async throws {
    let keeping = try await Keeping.claimed()
    keeping.store.fail(operation)
    _ = try await keeping.run { group async throws in
      for _ in 0..<4 {
        await keeping.time.step()
        #expect(!keeping.isReady)
      }
      keeping.store.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.owner()?.record.token == keeping.configuration.token)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func aLockThatIsLostBeforeTheGateOpensIsWaitedFor() async throws {
    let keeping = try await Keeping.claimed()
    let (key, token, store) = (Keeping.key, keeping.configuration.token, keeping.store)
    store.before { operation in
      guard operation == .recordOpened else { return }
      store.memory.giveBack(key, token: token, podUID: Keeping.uid)
    }
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      // Refused once, then won anew with another token.
      #expect(
        store.calls == [.inspect, .extend, .recordOpened, .extend, .acquire, .recordOpened])
      #expect(keeping.isReady)
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 2)
      await group.triggerGracefulShutdown()
    }
  }

  /// The lock was taken, the answer got lost: it is not another's, it is ours.
  @Test func anUnheardAcquisitionIsFoundAgain() async throws {
    let keeping = Keeping()
    keeping.store.loseAnswers(to: .acquire)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(!keeping.isHeld)
      let token = try #require(try await keeping.owner()?.record.token)
      keeping.store.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.owner()?.record.token == token)
      #expect(keeping.sidecar.view.status(at: keeping.time.now).fencingToken == 1)
      await group.triggerGracefulShutdown()
    }
    #expect(try await keeping.owner() == nil)
  }

  @Test func theTokenIsInNoLogLine() async throws {
    let keeping = try await Keeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.step(3)
      await group.triggerGracefulShutdown()
    }
    let lines = keeping.logs.lines
    #expect(lines.contains { $0.hasPrefix("notice: lock taken over") && $0.contains("key=demo/k") })
    #expect(lines.contains { $0.hasPrefix("notice: lock released") && $0.contains("pod=app-0") })
    #expect(!lines.contains { $0.contains(keeping.configuration.token.text) })
  }
}
