import Coordination
import JSON
import NIOHTTP1
import ServiceKit
import ServiceLifecycle
import Testing

@testable import PodHook

@Suite(.timeLimit(.minutes(2))) struct SidecarRoutesTests {
  private func ask(_ keeping: Keeping, _ uri: String) async -> (status: Int, body: String) {
    let routes = keeping.sidecar.routes(registry: PrometheusRegistry()) {
      (Keeping.today, 250)
    }
    let response = await routes.respond(to: MonitorRequest(uri: uri))
    return (Int(response.status.code), String(decoding: response.body, as: UTF8.self))
  }

  private func lock(_ keeping: Keeping) async throws -> JSONValue {
    let (status, body) = await ask(keeping, "/lock")
    #expect(status == 200)
    return try JSONValue(parsing: body)
  }

  private static let nothing: JSONValue = [
    "key": "demo/k", "held": false, "fencingToken": .null, "expiresAt": .null,
  ]

  @Test func beforeTheLockIsWonNothingIsReady() async throws {
    let keeping = Keeping()
    let id = keeping.configuration.token.publicID
    #expect(await ask(keeping, "/startupz/\(id)") == (503, "waiting for the lock\n"))
    #expect(await ask(keeping, "/held/\(id)") == (503, "the lock is not held\n"))
    #expect(try await lock(keeping) == Self.nothing)
  }

  @Test func theGateOpensAndTheApplicationReadsItsFencingToken() async throws {
    let keeping = try await Keeping.claimed()
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(await ask(keeping, "/startupz/\(id)") == (200, "open\n"))
      #expect(await ask(keeping, "/held/\(id)") == (200, "held\n"))
      keeping.time.advance(by: .milliseconds(1500))
      #expect(
        try await lock(keeping)
          == [
            "key": "demo/k", "held": true, "fencingToken": 1,
            "expiresAt": "2026-11-21T09:00:58.750Z",
          ])
      await group.triggerGracefulShutdown()
    }
    #expect(await ask(keeping, "/startupz/\(id)").status == 503)
    #expect(try await lock(keeping) == Self.nothing)
  }

  /// The kubelet asks an address: another Pod's sidecar must not answer for this one.
  @Test func anotherLocksPathsAreNotFound() async throws {
    let keeping = try await Keeping.claimed()
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      let other = Token("another").publicID
      for path in [
        "/startupz/\(other)", "/held/\(other)", "/startupz", "/held", "/startupz/", "/held/",
        "/startupz/\(id)/", "/", "/startupz/\(keeping.configuration.token.text)",
      ] {
        #expect(await ask(keeping, path).status == 404, "\(path)")
      }
      await group.triggerGracefulShutdown()
    }
  }

  @Test func aLeaseThatRunsOutIsNotHeldAnyMore() async throws {
    let keeping = try await Keeping.claimed(fence: .liveness)
    let id = keeping.configuration.token.publicID
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      keeping.store.fail(.extend)
      keeping.time.advance(by: .seconds(55))
      // Whether the sidecar has noticed or not.
      #expect(await ask(keeping, "/held/\(id)").status == 503)
      #expect(await ask(keeping, "/startupz/\(id)").status == 503)
      #expect(try await lock(keeping) == Self.nothing)
      await keeping.time.settle()
      await group.triggerGracefulShutdown()
    }
  }

  /// The paths are in the Pod's manifest: they stay, whatever token the lock was won with.
  @Test func thePathsStayWhenTheTokenChanges() async throws {
    let keeping = Keeping()
    _ = try await keeping.run { group async throws in
      await keeping.time.settle()
      #expect(try await keeping.owner()?.record.token != keeping.configuration.token)
      let id = keeping.configuration.token.publicID
      #expect(await ask(keeping, "/startupz/\(id)").status == 200)
      await group.triggerGracefulShutdown()
    }
  }

  @Test func theTokenIsInNoAnswer() async throws {
    let keeping = try await Keeping.claimed()
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
}
