import Coordination
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct HeartbeatTests {
  @Test func comesAtItsIntervalAndNotAtTheSameMomentForAll() async throws {
    let keeping = try await PermitKeeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      var pauses: Set<Duration> = []
      for _ in 0..<20 {
        let pause = try #require(keeping.time.nextAlarm) - keeping.time.now
        #expect(pause >= .seconds(27) && pause <= .seconds(33))
        pauses.insert(pause)
        await keeping.time.step()
        #expect(keeping.isReady)
        #expect(try await keeping.own().first?.silence == .zero)
      }
      #expect(pauses.count > 1)
      #expect(keeping.queue.calls.count { $0 == .heartbeat } == 21)
      #expect(keeping.exposes("permit_heartbeats_total 20"))
      await group.triggerGracefulShutdown()
    }
  }

  @Test(arguments: [(-1.0, 127), (0.0, 130), (1.0, 133)])
  func jitterIsATenth(jitter: Double, seconds: Int) {
    let terms = PermitTerms(
      length: 1, lockTime: .seconds(10), heartbeatInterval: .seconds(30))
    #expect(terms.nextHeartbeat(after: .seconds(100), jitter: jitter) == .seconds(seconds))
    #expect(terms.nextAttempt(after: .seconds(100)) == .seconds(103))
  }

  /// Availability over strictness: only the store's word ends an application, not its silence.
  @Test(arguments: [Fence.restartAll, .liveness])
  func withoutTheStoreTheApplicationRunsOn(fence: Fence) async throws {
    let keeping = try await PermitKeeping.claimed(fence: fence)
    let ending = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.queue.fail(.heartbeat)
      await keeping.time.step()
      for _ in 0..<100 {
        #expect(keeping.isReady)
        #expect(keeping.time.nextAlarm == keeping.time.now + .seconds(3))
        await keeping.time.step()
      }
      #expect(keeping.time.now > .seconds(1000) + keeping.queue.staleAfter * 2)
      #expect(keeping.exposes("permit_heartbeat_failures_total 101"))
      #expect(keeping.exposes("permit_held 1"))
      #expect(
        keeping.logs.lines.contains {
          $0.hasPrefix("warning: heartbeat was not answered") && $0.contains("connection refused")
        })
      keeping.queue.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.own().first?.silence == .zero)
      let pause = try #require(keeping.time.nextAlarm) - keeping.time.now
      #expect(pause >= .seconds(27))
      await group.triggerGracefulShutdown()
    }
    #expect(ending == .returned && keeping.exits.codes == [])
  }

  @Test func oneWhoseAnswerGotLostIsRepeated() async throws {
    let keeping = try await PermitKeeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.queue.loseAnswers(to: .heartbeat)
      await keeping.time.step(2)
      keeping.queue.recover()
      await keeping.time.step()
      #expect(keeping.isReady)
      #expect(try await keeping.own().count == 1)
      await group.triggerGracefulShutdown()
    }
  }

  /// It says so while its permit is still in flight, and keeps it.
  @Test func aSidecarThatWasFrozenGoesOnIfNobodyReclaimedItsPermit() async throws {
    let keeping = try await PermitKeeping.claimed()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.time.advance(by: .seconds(3600))
      await keeping.time.settle()
      #expect(keeping.isReady)
      #expect(try await keeping.own().map(\.token) == [keeping.configuration.token])
      #expect(try await keeping.own().first?.silence == .zero)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func nothingButItsOwnPermitIsTouched() async throws {
    let keeping = try await PermitKeeping.claimed(length: 3)
    let others = try await keeping.queue.occupy(length: 3)
    _ = try await keeping.run { group async throws in
      await keeping.time.step(3)
      let silent = try await keeping.queue.inFlight().filter { others.contains($0.token) }
      let expected = keeping.time.now - .seconds(1000)
      #expect(silent.map(\.silence) == [expected, expected])
      await group.triggerGracefulShutdown()
    }
  }
}
