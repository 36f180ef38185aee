import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

/// A holder that was taken for dead is told so when it comes back.
@Suite(.timeLimit(.minutes(2))) struct ReclaimedPermitTests {
  @Test func itTakesAnotherPermitAndIsHeldWithoutAGap() async throws {
    let keeping = try await PermitKeeping.claimed()
    keeping.queue.before { operation in
      if ![.permit, .heartbeat].contains(operation) || keeping.sidecar.view.isOpen {
        #expect(keeping.isReady, "\(operation)")
      }
    }
    keeping.locks.before { #expect(keeping.isReady, "\($0)") }
    let ending = try await keeping.run { group async throws in
      try await keeping.lapse(isTaken: false)
      #expect(keeping.isReady)
      #expect(try await keeping.own() == [])
      await keeping.time.step()
      #expect(keeping.isReady)
      let own = try await keeping.own()
      #expect(own.count == 1 && own[0].token != keeping.configuration.token)
      #expect(own[0].holder?.owner == "ReplicaSet/app")
      // The new one is kept as the first one was.
      await keeping.time.step(2)
      #expect(try await keeping.own() == own)
      keeping.queue.before { _ in }
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned && keeping.exits.codes == [])
    #expect(try await keeping.queue.numbers().inFlight == 0)
  }

  @Test func howLongAnotherHadItIsSaidAndCounted() async throws {
    let keeping = try await PermitKeeping.claimed(length: 1)
    _ = try await keeping.run { group async throws in
      let others = try await keeping.lapse(length: 1, isTaken: true)
      let retakenAt = keeping.time.now
      keeping.queue.vacate(others[0], of: 1)
      await keeping.time.step()
      let over = keeping.time.now - retakenAt
      #expect(over == .seconds(3))
      #expect(try await keeping.queue.numbers().overLength == over)
      #expect(keeping.isReady)
      #expect(
        keeping.logs.lines.contains {
          $0.hasPrefix("warning: permit was reclaimed") && $0.contains("overLengthSeconds=3.0")
        })
      await group.triggerGracefulShutdown()
    }
  }

  @Test func withoutAFreePermitTheFenceStopsTheApplication() async throws {
    let keeping = try await PermitKeeping.claimed(length: 1)
    var others: [Token] = []
    let ending = try await keeping.run { _ async throws in
      others = try await keeping.lapse(length: 1, isTaken: true)
      #expect(keeping.isReady && keeping.mark.read() != nil)
      if let alarm = keeping.time.nextAlarm { keeping.time.advance(to: alarm) }
    }
    #expect(ending == .exited(42) && keeping.exits.codes == [42])
    #expect(!keeping.isHeld && keeping.mark.read() == nil)
    #expect(keeping.exposes("permit_held 0") && keeping.exposes("permit_lost_total 1"))
    #expect(!keeping.queue.calls.contains(.release))
    #expect(try await keeping.queue.inFlight().map(\.token) == others)
    #expect(
      keeping.logs.lines.contains {
        $0.hasPrefix("error: permit lost, and none is free") && $0.contains("inFlight=1")
      })
    try await expectNoLock(keeping)
  }

  /// All containers have been restarted behind the gate: it waits like a Pod that starts.
  @Test func afterTheFenceTheNextSidecarWaitsForItsTurn() async throws {
    let keeping = try await PermitKeeping.claimed(length: 1)
    var others: [Token] = []
    _ = try await keeping.run { _ async throws in
      others = try await keeping.lapse(length: 1, isTaken: true)
      if let alarm = keeping.time.nextAlarm { keeping.time.advance(to: alarm) }
    }
    let next = PermitKeeping(
      token: keeping.configuration.token, length: 1, beside: keeping)
    let ending = try await next.run { group async throws in
      await next.time.settle()
      #expect(!next.isHeld && !next.sidecar.view.isOpen && next.exits.codes == [])
      next.queue.vacate(others[0], of: 1)
      await next.time.step()
      #expect(next.isReady)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
  }

  /// Without a fence by exit code the sidecar says no, and tries on.
  @Test(arguments: [(Fence.liveness, true), (.none, true), (.restartAll, false)])
  func otherwiseItSaysNoUntilAPermitIsFree(fence: Fence, isGated: Bool) async throws {
    let keeping = try await PermitKeeping.claimed(length: 1, fence: fence, isGated: isGated)
    let ending = try await keeping.run { group async throws in
      let others = try await keeping.lapse(length: 1, isTaken: true)
      #expect(keeping.isHeld)
      await keeping.time.step()
      for _ in 0..<5 {
        #expect(!keeping.isHeld && keeping.exits.codes == [])
        await keeping.time.step()
      }
      #expect(keeping.logs.lines.count { $0.contains("permit lost, and none is free") } == 1)
      #expect(try await keeping.queue.inFlight().map(\.token) == others)
      // Asked about every second since it was told.
      let seconds = try #require(keeping.value("permit_over_length_seconds_total"))
      #expect((3...8).contains(seconds))
      keeping.queue.vacate(others[0], of: 1)
      await keeping.time.step()
      #expect(keeping.isHeld && keeping.sidecar.view.isOpen == isGated)
      #expect(try await keeping.own().count == 1)
      await group.triggerGracefulShutdown()
      if !isGated {
        await keeping.time.settle(2)
        keeping.time.advance(by: .seconds(9))
      }
    }
    #expect(ending == .returned && keeping.exits.codes == [])
    #expect(try await keeping.queue.numbers().inFlight == 0)
  }

  /// Told that it is lost, and then the store is away again: still no word that none is free.
  @Test(arguments: [ScriptedQueue.Operation.counts, .settle, .pop])
  func whileNoOtherPermitCanBeAskedForTheApplicationRunsOn(
    operation: ScriptedQueue.Operation
  ) async throws {
    let keeping = try await PermitKeeping.claimed()
    let ending = try await keeping.run { group async throws in
      try await keeping.lapse(isTaken: false)
      keeping.queue.fail(operation)
      for _ in 0..<50 {
        await keeping.time.step()
        #expect(keeping.isReady)
      }
      keeping.queue.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.own().count == 1)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned && keeping.exits.codes == [])
  }

  @Test func soItDoesWhileTheLockAroundTheQueueCannotBeTaken() async throws {
    let keeping = try await PermitKeeping.claimed()
    keeping.locks.fail(.acquire)
    _ = try await keeping.run { group async throws in
      try await keeping.lapse(isTaken: false)
      for _ in 0..<20 {
        await keeping.time.step()
        #expect(keeping.isReady)
      }
      keeping.locks.recover()
      await keeping.time.step()
      #expect(try await keeping.own().count == 1)
      await group.triggerGracefulShutdown()
    }
  }

  private func expectNoLock(_ keeping: PermitKeeping) async throws {
    #expect(try await keeping.locks.owner(PermitKeeping.key) == nil)
  }
}
