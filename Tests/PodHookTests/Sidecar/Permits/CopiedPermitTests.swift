import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

/// A copied Pod brings a token that is bound to somebody else.
@Suite(.timeLimit(.minutes(2))) struct CopiedPermitTests {
  private func expectUntouched(_ original: PermitKeeping) async throws {
    #expect(original.isReady)
    let own = try await original.own()
    #expect(own.map(\.token) == [original.configuration.token])
    #expect(own.first?.holder?.pod == "app-0" && own.first?.holder?.since == Keeping.today - 5)
  }

  @Test func withoutAFreePermitItWaitsAndTouchesNothing() async throws {
    let original = try await PermitKeeping.claimed(length: 1)
    let copy = PermitKeeping(
      token: original.configuration.token, length: 1, uid: "uid-copy", beside: original)
    _ = try await original.run { group async throws in
      await original.time.settle()
      let ending = try await copy.run { copyGroup async throws in
        await original.time.settle(2)
        #expect(!copy.isHeld && !copy.sidecar.view.isOpen)
        await copyGroup.triggerGracefulShutdown()
      }
      #expect(ending == .returned && copy.exits.codes == [])
      try await expectUntouched(original)
      await group.triggerGracefulShutdown()
    }
    #expect(try await original.queue.numbers().inFlight == 0)
  }

  @Test func withAFreePermitItHasOneOfItsOwn() async throws {
    let original = try await PermitKeeping.claimed(length: 2)
    let copy = PermitKeeping(
      token: original.configuration.token, length: 2, uid: "uid-copy", beside: original)
    _ = try await original.run { group async throws in
      await original.time.settle()
      _ = try await copy.run { copyGroup async throws in
        await original.time.settle(2)
        #expect(copy.isReady)
        #expect(try await copy.own().map(\.token) != [original.configuration.token])
        try await expectUntouched(original)
        await copyGroup.triggerGracefulShutdown()
      }
      #expect(try await copy.own() == [])
      try await expectUntouched(original)
      await group.triggerGracefulShutdown()
    }
    let numbers = try await original.queue.numbers()
    #expect(numbers.inFlight == 0 && numbers.queue == 2)
  }

  /// The original's sidecar has not come yet: the copy may be first, once.
  @Test func theFirstSidecarBindsTheClaimAndTheSecondGetsAnother() async throws {
    let first = try await PermitKeeping.claimed(length: 2)
    let second = PermitKeeping(
      token: first.configuration.token, length: 2, uid: "uid-copy", beside: first)
    _ = try await second.run { group async throws in
      await first.time.settle()
      #expect(try await second.own().map(\.token) == [first.configuration.token])
      _ = try await first.run { firstGroup async throws in
        await first.time.settle(2)
        #expect(first.isReady && second.isReady)
        #expect(try await first.own().count == 1)
        await firstGroup.triggerGracefulShutdown()
      }
      #expect(try await second.own().map(\.token) == [first.configuration.token])
      await group.triggerGracefulShutdown()
    }
  }
}
