import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct PermitHandOverTests {
  @Test func theClaimIsBoundAndThenTheGateOpens() async throws {
    let keeping = try await PermitKeeping.claimed()
    keeping.queue.before { operation in
      if operation == .heartbeat { #expect(!keeping.isHeld && !keeping.sidecar.view.isOpen) }
    }
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(keeping.queue.calls == [.permit, .heartbeat])
      // The lock around the queue is for those who take a permit.
      #expect(keeping.locks.calls == [])
      let permit = try #require(try await keeping.own().first)
      #expect(permit.token == keeping.configuration.token && permit.silence == .zero)
      // Who it is for and since when is known since admission.
      var holder = Holder(
        pod: "app-0", podUID: PermitKeeping.uid, node: "node-1", owner: "ReplicaSet/app",
        since: Keeping.today - 5)
      holder.claimID = permit.token.publicID
      #expect(permit.holder == holder)
      #expect(keeping.mark.read() != nil)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
  }

  /// Its time is over, but nobody has settled the queue since.
  @Test func aClaimThatNobodyReclaimedIsStillGood() async throws {
    let keeping = try await PermitKeeping.claimed()
    keeping.time.advance(by: .seconds(500))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(try await keeping.own().map(\.token) == [keeping.configuration.token])
      await group.triggerGracefulShutdown()
    }
  }

  @Test func aClaimThatLapsedIsReplacedByAFreePermit() async throws {
    let keeping = try await PermitKeeping.claimed(length: 1)
    keeping.time.advance(by: .seconds(121))
    try await keeping.queue.settleNow(length: 1)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      let own = try await keeping.own()
      #expect(own.count == 1 && own[0].token != keeping.configuration.token)
      #expect(own[0].holder?.since == Keeping.today && own[0].holder?.node == "node-1")
      await group.triggerGracefulShutdown()
    }
    #expect(try await keeping.queue.numbers().inFlight == 0)
  }

  /// The application has not started: there is nothing to stop, and no reason to exit.
  @Test func aClaimThatLapsedAndIsAnothersIsWaitedForWithTheGateClosed() async throws {
    let keeping = try await PermitKeeping.claimed(length: 1)
    keeping.time.advance(by: .seconds(121))
    let others = try await keeping.queue.occupy(length: 1)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      for _ in 0..<5 {
        let pause = try #require(keeping.time.nextAlarm) - keeping.time.now
        #expect(pause >= .milliseconds(800) && pause <= .milliseconds(1200))
        #expect(!keeping.isHeld && !keeping.sidecar.view.isOpen)
        await keeping.time.step()
      }
      #expect(keeping.exits.codes == [] && keeping.mark.read() == nil)
      let lines = keeping.logs.lines.filter { $0.contains("waiting for a permit") }
      #expect(lines.count == 1 && lines[0].contains("inFlight=1 key=demo/k length=1"))
      // Whether one is free is looked up without the lock that all who wait would take in turns.
      #expect(keeping.locks.calls == [])
      keeping.queue.vacate(others[0], of: 1)
      await keeping.time.step()
      #expect(keeping.isReady)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(try await keeping.queue.numbers().inFlight == 0)
  }

  @Test func aPermitOfADeadHolderIsTakenWhenItIsStale() async throws {
    let keeping = PermitKeeping(length: 1)
    try await keeping.queue.occupy(length: 1)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(!keeping.isHeld)
      keeping.time.advance(by: .seconds(121))
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(try await keeping.queue.numbers().reclaimed == 1)
      await group.triggerGracefulShutdown()
    }
  }

  @Test(arguments: [ScriptedQueue.Operation.permit, .heartbeat, .settle, .pop, .counts])
  func theGateStaysShutUntilTheStoreAnswers(operation: ScriptedQueue.Operation) async throws {
    let keeping = PermitKeeping(length: 1)
    let others = try await keeping.queue.occupy(length: 1)
    if operation != .counts { keeping.queue.vacate(others[0], of: 1) }
    keeping.queue.fail(operation)
    _ = try await keeping.run { group async throws in
      for _ in 0..<4 {
        await keeping.time.step()
        #expect(!keeping.isHeld && !keeping.sidecar.view.isOpen)
      }
      if operation == .counts { keeping.queue.vacate(others[0], of: 1) }
      keeping.queue.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.own().count == 1)
      await group.triggerGracefulShutdown()
    }
    #expect(keeping.exits.codes == [])
  }

  @Test func aBindingWhoseAnswerGotLostIsRepeated() async throws {
    let keeping = try await PermitKeeping.claimed(length: 1)
    keeping.queue.loseAnswers(to: .heartbeat)
    _ = try await keeping.run { group async throws in
      await keeping.time.step()
      #expect(!keeping.isHeld)
      keeping.queue.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.own().map(\.token) == [keeping.configuration.token])
      await group.triggerGracefulShutdown()
    }
  }

  @Test func noTokenIsInALogLine() async throws {
    let keeping = try await PermitKeeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.step(2)
      try await keeping.lapse(isTaken: false)
      await keeping.time.step()
      await group.triggerGracefulShutdown()
    }
    let lines = keeping.logs.lines
    for text in [
      "notice: permit taken over", "notice: gate opened", "notice: permit taken ",
      "warning: permit was reclaimed", "notice: permit released",
    ] {
      let line = lines.first { $0.hasPrefix(text) } ?? ""
      #expect(line.contains(" key=demo/k") && line.contains(" pod=app-0"), "\(text)")
    }
    #expect(!lines.contains { $0.contains(keeping.configuration.token.text) })
  }
}
