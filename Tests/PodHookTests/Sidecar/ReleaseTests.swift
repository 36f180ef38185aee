import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct ReleaseTests {
  @Test func gatedTheLockIsGivenBackAtOnce() async throws {
    let keeping = try await Keeping.claimed()
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(keeping.time.now == .seconds(1000))
    #expect(!keeping.isHeld)
    #expect(try await keeping.owner() == nil)
    #expect(try await !keeping.store.isOpened(Keeping.key, Keeping.uid))
    #expect(keeping.store.calls.last == .release)
  }

  @Test func itIsTriedUntilTheStoreAnswers() async throws {
    let keeping = try await Keeping.claimed()
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.store.fail(.release)
      await group.triggerGracefulShutdown()
      await keeping.store.called(.release)
      await keeping.time.settle()
      await keeping.time.step(5)
      #expect(!keeping.isHeld)
      #expect(try await keeping.owner() != nil)
      keeping.store.recover()
      if let alarm = keeping.time.nextAlarm { keeping.time.advance(to: alarm) }
    }
    #expect(ending == .returned)
    #expect(try await keeping.owner() == nil)
    #expect(keeping.store.calls.filter { $0 == .release }.count == 7)
  }

  @Test func itIsNotTriedForLongerThanTheGracePeriod() async throws {
    let keeping = try await Keeping.claimed(grace: .seconds(10))
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.store.fail(.release)
      await group.triggerGracefulShutdown()
      await keeping.store.called(.release)
      await keeping.time.settle()
      keeping.time.advance(to: .seconds(1010))
    }
    #expect(ending == .returned)
    #expect(try await keeping.owner() != nil)
  }

  @Test func withADelayTheLeaseIsShortenedInstead() async throws {
    let keeping = try await Keeping.claimed(releaseDelay: .seconds(2))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    let owner = try await keeping.owner()
    #expect(owner?.record.token == keeping.configuration.token)
    #expect(owner?.timeLeft == .seconds(2))
    #expect(try await !keeping.store.isOpened(Keeping.key, Keeping.uid))
    #expect(!keeping.store.calls.contains(.release))
  }

  @Test(arguments: [60, 90])
  func aDelayBeyondTheExpirationLeavesAllOfIt(delay: Int) async throws {
    let keeping = try await Keeping.claimed(releaseDelay: .seconds(delay))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    #expect(try await keeping.owner()?.timeLeft == .seconds(60))
  }

  @Test func whileWaitingNothingOfOthersIsTouched() async throws {
    let keeping = Keeping()
    let other = try await keeping.occupy()
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(try await keeping.owner()?.record.token == other)
  }

  /// A Pod that is deleted before its sidecar reached the store leaves no claim behind.
  @Test func aClaimThatWasNeverTakenOverIsGivenBackToo() async throws {
    let keeping = try await Keeping.claimed()
    keeping.store.fail(.inspect)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(try await keeping.owner() == nil)
  }

  /// Told to stop together with the application, the sidecar keeps the lock while that ends.
  @Test func ungatedTheLockIsKeptUntilTheGracePeriodEnds() async throws {
    let keeping = try await Keeping.claimed(
      expiration: .seconds(6), margin: .seconds(2), isGated: false, grace: .seconds(10))
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isHeld && !keeping.sidecar.view.isOpen)
      #expect(!keeping.store.calls.contains(.recordOpened))
      await group.triggerGracefulShutdown()
      await keeping.time.settle(2)
      // Renewals go on: the lease alone would have run out by then.
      while let alarm = keeping.time.nextAlarm, alarm < .seconds(1009) {
        keeping.time.advance(to: alarm)
        await keeping.time.settle(2)
        #expect(keeping.isHeld)
      }
      #expect(try await keeping.owner() != nil)
      keeping.time.advance(to: .seconds(1009))
    }
    #expect(ending == .returned)
    #expect(try await keeping.owner() == nil)
    #expect(keeping.time.now == .seconds(1009))
  }

  /// A process that is killed gives nothing back: it does not know what the application does.
  @Test func cancellationReleasesNothing() async throws {
    let keeping = try await Keeping.claimed()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await keeping.sidecar.run() }
      await keeping.time.settle()
      group.cancelAll()
    }
    #expect(try await keeping.owner() != nil)
    #expect(!keeping.store.calls.contains(.release))
  }
}
