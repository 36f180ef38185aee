import Coordination
import Glibc
import ServiceLifecycle
import Testing

@testable import PodHook

/// What a sidecar leaves in its Pod for the next one.
@Suite(.timeLimit(.minutes(2))) struct OpenedMarkTests {
  @Test func itIsThereWhileTheApplicationMayRun() async throws {
    let keeping = try await Keeping.claimed(expiration: .seconds(60), margin: .seconds(5))
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      let opened = try #require(keeping.mark.read())
      #expect(opened > keeping.time.now + .seconds(50))
      if let alarm = keeping.time.nextAlarm { keeping.time.advance(to: alarm) }
      await keeping.time.settle()
      #expect(try #require(keeping.mark.read()) > opened)
      await group.triggerGracefulShutdown()
    }
    #expect(keeping.mark.read() == nil)
  }

  @Test func aSidecarThatCannotReachTheStoreFencesWhenTheLeaseBeforeItEnds() async throws {
    let keeping = Keeping()
    let giveUpAt = keeping.time.now + .seconds(7)
    keeping.mark.write(giveUpAt: giveUpAt)
    keeping.store.fail(.inspect, .extend, .acquire)
    let ending = try await keeping.run { _ async throws in
      repeat {
        await keeping.time.settle()
        #expect(keeping.exits.codes.isEmpty)
        guard let alarm = keeping.time.nextAlarm else { break }
        #expect(alarm <= giveUpAt)
        keeping.time.advance(to: alarm)
      } while keeping.time.now < giveUpAt
    }
    #expect(ending == .exited(42))
    #expect(keeping.exits.codes == [42])
    #expect(keeping.mark.read() == nil)
  }

  @Test func withoutItASidecarWaitsForTheStoreAsLongAsItTakes() async throws {
    let keeping = try await Keeping.claimed()
    keeping.store.fail(.inspect)
    let ending = try await keeping.run { group async throws in
      for _ in 0..<100 {
        await keeping.time.settle()
        keeping.time.advance(by: .seconds(1))
      }
      keeping.store.recover()
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned)
    #expect(keeping.exits.codes.isEmpty)
  }

  @Test func aPartThatEndsFencesAndGivesNothingBack() async throws {
    let keeping = try await Keeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.sidecar.abandon("probes", CancellationError())
      #expect(keeping.exits.codes == [42])
      #expect(!keeping.isHeld && keeping.mark.read() == nil)
      #expect(try await keeping.owner() != nil)
      #expect(!keeping.store.calls.contains(.release))
      await group.triggerGracefulShutdown()
    }
  }

  @Test func aFileKeepsTheMomentOverProcesses() {
    let time = ManualTime(.seconds(5))
    let name = "hippocampus-test-\(UInt64.random(in: 0 ... .max))"
    let mark = SharedMemoryMark(directory: "/dev/shm", name: name, time: time)
    defer { mark.erase() }
    #expect(mark.read() == nil)
    for seconds in [30, 8, 3600] {
      mark.write(giveUpAt: .seconds(5 + seconds))
      // Another process counts from another origin; some time passes between the two.
      let other = SharedMemoryMark(
        directory: "/dev/shm", name: name, time: ManualTime(.seconds(1_000_000)))
      let left = (other.read() ?? .zero) - .seconds(1_000_000)
      #expect(left <= .seconds(seconds) && left > .seconds(seconds - 5))
    }
    mark.erase()
    #expect(mark.read() == nil)
  }

  @Test func whatIsNoMomentCountsAsOver() {
    let time = ManualTime(.seconds(5))
    let name = "hippocampus-test-\(UInt64.random(in: 0 ... .max))"
    let file = open("/dev/shm/\(name)", O_WRONLY | O_CREAT, 0o600)
    _ = pwrite(file, "x", 1, 0)
    close(file)
    let mark = SharedMemoryMark(directory: "/dev/shm", name: name, time: time)
    #expect(mark.read() == time.now)
    mark.erase()
  }
}
