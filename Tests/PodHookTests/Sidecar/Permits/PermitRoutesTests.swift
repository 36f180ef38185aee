import Coordination
import JSON
import NIOHTTP1
import ServiceKit
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct PermitRoutesTests {
  private func ask(_ keeping: PermitKeeping, _ uri: String) async -> (status: Int, body: String) {
    let routes = keeping.sidecar.routes(registry: keeping.registry) { (Keeping.today, 250) }
    let response = await routes.respond(to: MonitorRequest(uri: uri))
    return (Int(response.status.code), String(decoding: response.body, as: UTF8.self))
  }

  private func lock(_ keeping: PermitKeeping) async throws -> JSONValue {
    let (status, body) = await ask(keeping, "/lock")
    #expect(status == 200)
    return try JSONValue(parsing: body)
  }

  private static let nothing: JSONValue = [
    "key": "demo/k", "held": false, "fencingToken": .null, "expiresAt": .null,
  ]

  @Test func beforeThereIsAPermitNothingIsReady() async throws {
    let keeping = PermitKeeping()
    let id = keeping.configuration.token.publicID
    #expect(await ask(keeping, "/startupz/\(id)") == (503, "waiting for a permit\n"))
    #expect(await ask(keeping, "/held/\(id)") == (503, "the permit is not held\n"))
    #expect(try await lock(keeping) == Self.nothing)
  }

  @Test func theGateOpensAndTheApplicationReadsUntilWhenItIsSafe() async throws {
    let keeping = try await PermitKeeping.claimed()
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(await ask(keeping, "/startupz/\(id)") == (200, "open\n"))
      #expect(await ask(keeping, "/held/\(id)") == (200, "held\n"))
      keeping.time.advance(by: .milliseconds(1500))
      // From the last heartbeat on, others respect the permit for 120 s.
      #expect(
        try await lock(keeping)
          == [
            "key": "demo/k", "held": true, "fencingToken": .null,
            "expiresAt": "2026-11-21T09:01:58.750Z",
          ])
      await group.triggerGracefulShutdown()
    }
    #expect(await ask(keeping, "/startupz/\(id)").status == 503)
    #expect(await ask(keeping, "/held/\(id)").status == 503)
    #expect(try await lock(keeping) == Self.nothing)
  }

  /// Held beyond that moment: who reads the document sees that it has passed.
  @Test func withoutHeartbeatsThePermitIsHeldPastTheMomentThatIsTold() async throws {
    let keeping = try await PermitKeeping.claimed()
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.queue.fail(.heartbeat)
      keeping.time.advance(by: .seconds(130))
      await keeping.time.settle()
      #expect(await ask(keeping, "/held/\(id)").status == 200)
      let document = try await lock(keeping)
      #expect(document["held"] == true)
      #expect(document["expiresAt"] == "2026-11-21T08:59:50.250Z")
      await group.triggerGracefulShutdown()
    }
  }

  /// After a restart of the sidecar beside a running application.
  @Test func beforeTheStoreConfirmsThePermitNoMomentIsTold() async throws {
    let before = try await PermitKeeping.claimed()
    await before.crash()
    let keeping = PermitKeeping(token: before.configuration.token, beside: before)
    keeping.queue.fail(.permit)
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(await ask(keeping, "/held/\(id)").status == 200)
      #expect(
        try await lock(keeping)
          == ["key": "demo/k", "held": true, "fencingToken": .null, "expiresAt": .null])
      await group.triggerGracefulShutdown()
    }
  }

  /// The kubelet asks an address: another Pod's sidecar must not answer for this one.
  @Test func anotherPermitsPathsAreNotFound() async throws {
    let keeping = try await PermitKeeping.claimed()
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      let other = Token.uuid().publicID
      for path in [
        "/startupz/\(other)", "/held/\(other)", "/startupz", "/held", "/startupz/", "/held/",
        "/startupz/\(id)/", "/", "/startupz/\(keeping.configuration.token.text)",
      ] {
        #expect(await ask(keeping, path).status == 404, "\(path)")
      }
      await group.triggerGracefulShutdown()
    }
  }

  /// The paths are in the Pod's manifest: they stay, whatever permit was taken anew.
  @Test func thePathsStayWhenThePermitChanges() async throws {
    let keeping = try await PermitKeeping.claimed()
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      try await keeping.lapse(isTaken: false)
      await keeping.time.step()
      #expect(try await keeping.own().first?.token != keeping.configuration.token)
      #expect(await ask(keeping, "/startupz/\(id)").status == 200)
      #expect(await ask(keeping, "/held/\(id)").status == 200)
      await group.triggerGracefulShutdown()
    }
  }

  @Test(arguments: [(Fence.liveness, true), (.restartAll, false)])
  func aPermitThatIsLostIsNotHeld(fence: Fence, isGated: Bool) async throws {
    let keeping = try await PermitKeeping.claimed(length: 1, fence: fence, isGated: isGated)
    let id = keeping.configuration.token.publicID
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await keeping.sidecar.run() }
      await #expect(throws: Never.self) { try await keeping.lapse(length: 1, isTaken: true) }
      await keeping.time.step()
      #expect(await ask(keeping, "/held/\(id)") == (503, "the permit is not held\n"))
      #expect(await ask(keeping, "/startupz/\(id)").status == 503)
      group.cancelAll()
    }
    #expect(try await lock(keeping) == Self.nothing)
  }

  @Test func noTokenIsInAnAnswer() async throws {
    let keeping = try await PermitKeeping.claimed()
    let (id, token) = (keeping.configuration.token.publicID, keeping.configuration.token.text)
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      for path in ["/lock", "/metrics", "/startupz/\(id)", "/held/\(id)"] {
        let answer = await ask(keeping, path)
        #expect(answer.status == 200 && !answer.body.contains(token))
      }
      await group.triggerGracefulShutdown()
    }
  }

  @Test func theMetricsTellTheWholeLife() async throws {
    let keeping = try await PermitKeeping.claimed()
    func expect(_ values: [String: Int]) async {
      let body = await ask(keeping, "/metrics").body
      for (name, value) in values {
        #expect(body.contains("\npermit_\(name) \(value)\n"), "\(name)")
      }
    }
    let nothing = [
      "held": 0, "acquired_total": 0, "heartbeats_total": 0, "heartbeat_failures_total": 0,
      "lost_total": 0, "released_total": 0, "sidecar_crashes_total": 0,
    ]
    _ = try await keeping.run { group async throws in
      await keeping.time.step(3)
      await expect(["held": 1, "acquired_total": 1, "heartbeats_total": 3])
      try await keeping.lapse(isTaken: false)
      await keeping.time.step()
      await expect(
        nothing.merging([
          "held": 1, "acquired_total": 2, "heartbeats_total": 3, "heartbeat_failures_total": 1,
          "lost_total": 1,
        ]) { $1 })
      await group.triggerGracefulShutdown()
    }
    await expect(["held": 0, "acquired_total": 2, "lost_total": 1, "released_total": 1])
  }
}
