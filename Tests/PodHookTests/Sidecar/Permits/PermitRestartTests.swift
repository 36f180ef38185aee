import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

/// A sidecar that starts where one was before, while the application runs.
@Suite(.timeLimit(.minutes(2))) struct PermitRestartTests {
  /// What comes after a sidecar that crashed with the gate open.
  private func successor(
    of before: PermitKeeping, length: Int = 2, fence: Fence = .restartAll
  ) -> PermitKeeping {
    PermitKeeping(
      token: before.configuration.token, length: length, fence: fence, beside: before)
  }

  @Test func itGoesOnWithTheSamePermit() async throws {
    let before = try await PermitKeeping.claimed(length: 1)
    await before.crash()
    #expect(before.mark.read() != nil)
    before.time.advance(by: .seconds(90))
    let keeping = successor(of: before, length: 1)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      let own = try await keeping.own()
      #expect(own.map(\.token) == [before.configuration.token])
      #expect(own.first?.silence == .zero)
      #expect(keeping.exposes("permit_sidecar_crashes_total 1"))
      #expect(keeping.exposes("permit_lost_total 0"))
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(try await keeping.queue.numbers().inFlight == 0)
  }

  /// `policy: wait`, or a permit that was reclaimed once: the manifest knows another token.
  @Test func itFindsThePermitThatTheOneBeforeItHadTaken() async throws {
    let before = PermitKeeping(length: 1)
    await before.crash()
    let token = try #require(try await before.own().first?.token)
    #expect(token != before.configuration.token)
    let keeping = successor(of: before, length: 1)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(try await keeping.own().map(\.token) == [token])
      // The loss, if there was one, is not this sidecar's.
      #expect(keeping.exposes("permit_lost_total 0"))
      #expect(keeping.locks.calls.count { $0 == .acquire } == 1)
      await keeping.time.step(2)
      #expect(try await keeping.own().first?.silence == .zero)
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned && keeping.exits.codes == [])
    #expect(try await keeping.queue.numbers().inFlight == 0)
  }

  /// Two sidecars of one Pod, such as those of two variants, may share a key.
  @Test func itTakesNoOtherSidecarsPermitForItsOwn() async throws {
    let before = PermitKeeping()
    let beside = PermitKeeping(token: Token("beside"), beside: before)
    await before.crash()
    await beside.crash()
    #expect(try await before.own().count == 2)
    for keeping in [successor(of: beside), successor(of: before)] {
      let id = keeping.configuration.token.publicID
      let permit = try await before.own().first { $0.holder?.claimID == id }
      let token: Token = try #require(permit?.token)
      keeping.mark.write(giveUpAt: .zero)
      _ = try await keeping.run { group async throws in
        await keeping.time.settle()
        #expect(keeping.isReady && keeping.sidecar.view.token == token)
        await group.triggerGracefulShutdown()
      }
      #expect(try await !before.own().contains { $0.token == token })
    }
    #expect(try await before.queue.numbers().inFlight == 0)
  }

  @Test func lostMeanwhileItTakesAFreePermit() async throws {
    let before = try await PermitKeeping.claimed()
    await before.crash()
    before.time.advance(by: .seconds(121))
    try await before.queue.settleNow(length: 2)
    let keeping = successor(of: before)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isReady && keeping.exits.codes == [])
      let own = try await keeping.own()
      #expect(own.count == 1 && own[0].token != before.configuration.token)
      #expect(keeping.exposes("permit_lost_total 1"))
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
  }

  @Test func lostMeanwhileAndNoneFreeItFences() async throws {
    let before = try await PermitKeeping.claimed(length: 1)
    await before.crash()
    before.time.advance(by: .seconds(121))
    let others = try await before.queue.occupy(length: 1)
    let keeping = successor(of: before, length: 1)
    #expect(try await keeping.run { _ in } == .exited(42))
    #expect(keeping.exits.codes == [42])
    #expect(!keeping.isHeld && keeping.mark.read() == nil)
    #expect(!keeping.queue.calls.contains(.release))
    #expect(try await keeping.queue.inFlight().map(\.token) == others)
  }

  @Test func withLivenessItSaysNoAndWaitsInstead() async throws {
    let before = try await PermitKeeping.claimed(length: 1, fence: .liveness)
    await before.crash()
    before.time.advance(by: .seconds(121))
    let others = try await before.queue.occupy(length: 1)
    let keeping = successor(of: before, length: 1, fence: .liveness)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(!keeping.isHeld && keeping.exits.codes == [])
      keeping.queue.vacate(others[0], of: 1)
      await keeping.time.step()
      #expect(keeping.isReady)
      await group.triggerGracefulShutdown()
    }
  }

  /// The application runs, so the store's silence is no reason to stop it.
  @Test func withoutTheStoreItWaitsForAnAnswerAndFencesNothing() async throws {
    let before = try await PermitKeeping.claimed()
    await before.crash()
    let keeping = successor(of: before)
    keeping.queue.fail(.permit, .heartbeat)
    let ending = try await keeping.run { group async throws in
      await keeping.time.step(50)
      // Held until the store says otherwise, for the liveness probes of the application.
      #expect(keeping.isReady && keeping.exposes("permit_held 1"))
      #expect(keeping.exits.codes == [] && keeping.mark.read() != nil)
      keeping.queue.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.own().map(\.token) == [before.configuration.token])
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
  }

  /// A sidecar whose store or probes end goes too, and leaves all as it is for the next one.
  @Test func aPartThatEndsGivesNothingBackAndFencesNothing() async throws {
    let keeping = try await PermitKeeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.sidecar.abandon("probes", CancellationError())
      #expect(keeping.exits.codes == [1])
      #expect(keeping.isReady && keeping.mark.read() != nil)
      #expect(!keeping.queue.calls.contains(.release))
      #expect(try await keeping.own().count == 1)
      await group.triggerGracefulShutdown()
    }
    #expect(keeping.mark.read() == nil)
  }

  @Test func anUngatedSidecarTakesTheApplicationForRunning() async throws {
    let before = PermitKeeping(length: 1, isGated: false)
    await before.crash()
    let token = try #require(try await before.own().first?.token)
    let keeping = PermitKeeping(length: 1, isGated: false, beside: before)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(keeping.isHeld && !keeping.sidecar.view.isOpen)
      #expect(try await keeping.own().map(\.token) == [token])
      await group.triggerGracefulShutdown()
      await keeping.time.settle(2)
      keeping.time.advance(by: .seconds(9))
    }
  }
}
