import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct PermitReleaseTests {
  private func expectAllAreBack(_ keeping: PermitKeeping, of length: Int) async throws {
    let numbers = try await keeping.queue.numbers()
    #expect(numbers.inFlight == 0 && numbers.queue == length)
  }

  @Test func gatedThePermitIsGivenBackAtOnce() async throws {
    let keeping = try await PermitKeeping.claimed()
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned && keeping.time.now == .seconds(1000))
    #expect(!keeping.isHeld && keeping.mark.read() == nil)
    #expect(keeping.queue.calls.last == .release)
    #expect(keeping.exposes("permit_released_total 1") && keeping.exposes("permit_held 0"))
    try await expectAllAreBack(keeping, of: 2)
  }

  @Test func itIsTriedUntilTheStoreAnswers() async throws {
    let keeping = try await PermitKeeping.claimed()
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.queue.fail(.release)
      await group.triggerGracefulShutdown()
      await keeping.queue.called(.release)
      await keeping.time.settle()
      await keeping.time.step(5)
      #expect(!keeping.isHeld)
      #expect(try await keeping.own().count == 1)
      keeping.queue.recover()
      if let alarm = keeping.time.nextAlarm { keeping.time.advance(to: alarm) }
    }
    #expect(ending == .returned)
    #expect(keeping.queue.calls.count { $0 == .release } == 7)
    try await expectAllAreBack(keeping, of: 2)
  }

  @Test func aReleaseWhoseAnswerGotLostIsRepeatedAndGivesBackOne() async throws {
    let keeping = try await PermitKeeping.claimed()
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.queue.loseAnswers(to: .release)
      await group.triggerGracefulShutdown()
      await keeping.queue.called(.release)
      await keeping.time.settle()
      keeping.queue.recover()
      if let alarm = keeping.time.nextAlarm { keeping.time.advance(to: alarm) }
    }
    #expect(ending == .returned)
    try await expectAllAreBack(keeping, of: 2)
  }

  /// The permit comes back by itself then.
  @Test func itIsNotTriedForLongerThanTheGracePeriod() async throws {
    let keeping = try await PermitKeeping.claimed(grace: .seconds(10))
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.queue.fail(.release)
      await group.triggerGracefulShutdown()
      await keeping.queue.called(.release)
      await keeping.time.settle()
      keeping.time.advance(to: .seconds(1010))
    }
    #expect(ending == .returned)
    #expect(try await keeping.own().count == 1)
    // The next sidecar of this Pod, if there is one, opens its gate only with a permit.
    #expect(keeping.mark.read() == nil)
    keeping.time.advance(by: .seconds(121))
    try await keeping.queue.settleNow(length: 2)
    try await expectAllAreBack(keeping, of: 2)
  }

  /// Told to stop together with the application, the sidecar keeps the permit while that ends.
  @Test func ungatedThePermitIsKeptUntilTheGracePeriodEnds() async throws {
    let keeping = try await PermitKeeping.claimed(isGated: false, grace: .seconds(100))
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isHeld && !keeping.sidecar.view.isOpen)
      await group.triggerGracefulShutdown()
      await keeping.time.settle(2)
      while let alarm = keeping.time.nextAlarm, alarm < .seconds(1099) {
        keeping.time.advance(to: alarm)
        await keeping.time.settle(2)
        #expect(keeping.isHeld)
        #expect(try await keeping.own().first?.silence == .zero)
      }
      keeping.time.advance(to: .seconds(1099))
    }
    #expect(ending == .returned && keeping.time.now == .seconds(1099))
    #expect(keeping.queue.calls.count { $0 == .heartbeat } >= 4)
    try await expectAllAreBack(keeping, of: 2)
  }

  @Test func whileWaitingNothingOfOthersIsTouched() async throws {
    let keeping = PermitKeeping()
    let others = try await keeping.queue.occupy(length: 2)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned && keeping.exposes("permit_released_total 0"))
    #expect(Set(try await keeping.queue.inFlight().map(\.token)) == Set(others))
  }

  /// A Pod that is deleted before its sidecar reached the store leaves no claim behind.
  @Test(arguments: [ScriptedQueue.Operation.permit, .heartbeat])
  func aClaimThatWasNeverTakenOverIsGivenBackToo(
    operation: ScriptedQueue.Operation
  ) async throws {
    let keeping = try await PermitKeeping.claimed()
    keeping.queue.fail(operation)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    // Without a UID in the store this is the claim of whoever knows the token.
    let claims = try await keeping.queue.inFlight()
    #expect(claims == [])
  }

  @Test func aPermitThatWasTakenAnewIsTheOneThatIsGivenBack() async throws {
    let keeping = try await PermitKeeping.claimed()
    _ = try await keeping.run { group async throws in
      try await keeping.lapse(isTaken: false)
      await keeping.time.step()
      #expect(try await keeping.own().count == 1)
      await group.triggerGracefulShutdown()
    }
    try await expectAllAreBack(keeping, of: 2)
  }

  /// After a restart of the sidecar, and before the store has answered it.
  @Test func soIsOneThatTheSidecarBeforeHadTakenAnew() async throws {
    let before = PermitKeeping()
    await before.crash()
    #expect(try await before.own().count == 1)
    let keeping = PermitKeeping(beside: before)
    keeping.queue.fail(.permit)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    try await expectAllAreBack(keeping, of: 2)
  }

  /// Reclaimed, and gone before it could hear of it: counted all the same.
  @Test func aHolderThatEndsAfterItWasReclaimedTouchesNobody() async throws {
    let keeping = try await PermitKeeping.claimed(length: 1)
    var others: [Token] = []
    _ = try await keeping.run { group async throws in
      others = try await keeping.lapse(length: 1, isTaken: true)
      await group.triggerGracefulShutdown()
    }
    #expect(try await keeping.queue.inFlight().map(\.token) == others)
    #expect(try await keeping.queue.numbers().lost == 1)
    #expect(keeping.logs.lines.contains { $0.contains("permit was gone before it was released") })
    #expect(keeping.exposes("permit_released_total 0"))
  }

  /// A process that is killed gives nothing back: it does not know what the application does.
  @Test func cancellationReleasesNothing() async throws {
    let keeping = try await PermitKeeping.claimed()
    await keeping.crash()
    #expect(try await keeping.own().count == 1)
    #expect(!keeping.queue.calls.contains(.release))
  }
}
