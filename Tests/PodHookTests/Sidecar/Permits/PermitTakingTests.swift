import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

/// A Pod that is deleted while its sidecar takes a permit: nothing may stay taken.
@Suite(.timeLimit(.minutes(2))) struct PermitTakingTests {
  private func expectNothingIsTaken(_ keeping: PermitKeeping) async throws {
    let numbers = try await keeping.queue.numbers()
    #expect(numbers.inFlight == 0)
    #expect(numbers.length == nil || numbers.queue == numbers.length)
    #expect(try await keeping.locks.owner(PermitKeeping.key) == nil)
  }

  @Test(arguments: [ScriptedQueue.Operation.settle, .pop], [true, false])
  func givingUpAtTheQueueLeaksNothing(
    operation: ScriptedQueue.Operation, isGraceful: Bool
  ) async throws {
    let keeping = PermitKeeping()
    keeping.queue.hold(operation)
    try await giveUp(keeping, isGraceful: isGraceful) {
      await keeping.queue.called(operation)
    } then: {
      await keeping.queue.cancelled(operation)
      keeping.queue.letGo()
    }
    try await expectNothingIsTaken(keeping)
  }

  @Test(arguments: [true, false])
  func givingUpAtTheLockLeaksNothing(isGraceful: Bool) async throws {
    let keeping = PermitKeeping()
    keeping.locks.hold(.acquire)
    try await giveUp(keeping, isGraceful: isGraceful) {
      await keeping.locks.called(.acquire)
    } then: {
      await keeping.locks.cancelled(.acquire)
      keeping.locks.letGo()
    }
    try await expectNothingIsTaken(keeping)
  }

  /// Ends the sidecar once `moment` has come; `then` lets its store go on.
  private func giveUp(
    _ keeping: PermitKeeping, isGraceful: Bool, at moment: () async -> Void,
    then: () async -> Void
  ) async throws {
    if isGraceful {
      let ending = try await keeping.run { group async throws in
        await moment()
        await group.triggerGracefulShutdown()
        await then()
      }
      #expect(ending == .returned)
    } else {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await keeping.sidecar.run() }
        await moment()
        group.cancelAll()
        await then()
      }
    }
  }

  /// The answer was there before the end: it is a permit like any other.
  @Test func aPermitThatArrivesInTimeIsReleased() async throws {
    let keeping = PermitKeeping()
    keeping.queue.hold(.pop)
    let ending = try await keeping.run { group async throws in
      await keeping.queue.called(.pop)
      keeping.queue.letGo()
      await keeping.time.settle()
      #expect(keeping.isReady)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    try await expectNothingIsTaken(keeping)
  }

  // MARK: - Lengths

  /// Its Pod's own was stated at admission.
  @Test func theLengthThatWasStatedLastCountsWhenItAsks() async throws {
    let keeping = PermitKeeping(length: 5)
    try await keeping.queue.occupy(length: 2)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(!keeping.isHeld)
      #expect(try await keeping.queue.numbers().length == 2)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func whereNobodyStatedALengthItsOwnCounts() async throws {
    let keeping = PermitKeeping(length: 5)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      let numbers = try await keeping.queue.numbers()
      #expect(numbers.length == 5 && numbers.queue == 4)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func aLengthThatIsRaisedWhileItWaitsLetsItIn() async throws {
    let keeping = PermitKeeping(length: 1)
    try await keeping.queue.occupy(length: 1)
    _ = try await keeping.run { group async throws in
      await keeping.time.step(2)
      #expect(!keeping.isHeld)
      try await keeping.queue.settleNow(length: 3)
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.queue.numbers().length == 3)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func aLengthThatIsLoweredWhileItWaitsIsNotUndone() async throws {
    let keeping = PermitKeeping(length: 3)
    let others = try await keeping.queue.occupy(length: 3)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      try await keeping.queue.settleNow(length: 1)
      for number in 1...2 { keeping.queue.vacate(others[number - 1], of: number) }
      await keeping.time.step(5)
      #expect(!keeping.isHeld)
      let numbers = try await keeping.queue.numbers()
      #expect(numbers.length == 1 && numbers.inFlight == 1 && numbers.queue == 0)
      keeping.queue.vacate(others[2], of: 3)
      await keeping.time.step()
      #expect(keeping.isReady)
      await group.triggerGracefulShutdown()
    }
  }

  /// Many who wait for few: each freed permit goes to exactly one.
  @Test func ofManyThatWaitAsManyGetInAsPermitsAreFree() async throws {
    let first = PermitKeeping(length: 2, uid: "uid-1")
    let others = try await first.queue.occupy(length: 2)
    let waiting = (2...8).map { PermitKeeping(length: 2, uid: "uid-\($0)", beside: first) }
    let all = [first] + waiting
    try await withThrowingTaskGroup(of: Void.self) { group in
      for keeping in all { group.addTask { try await keeping.sidecar.run() } }
      await first.time.settle(all.count)
      for (place, token) in others.enumerated() {
        first.queue.vacate(token, of: place + 1)
        first.time.advance(by: .seconds(2))
        await first.time.settle(all.count)
        #expect(all.count { $0.isReady } == place + 1)
      }
      #expect(try await first.queue.numbers().inFlight == 2)
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}
