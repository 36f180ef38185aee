import AsyncHTTPClient
import JSON
import LocalKubelet
import LocalServers
import NIOCore
import Testing

/// The API server's deadline, while Redis servers stand still.
///
/// The time for one server is set far beyond that deadline: it is the deadline that counts.
@Suite(.serialized, .cluster { $0.hookArguments = ["--redis-timeout", "30s"] })
struct WebhookDeadlineTests {
  /// Asks as an API server that waits for five seconds. Two more are for this machine, on which
  /// other tests run: without regard to the deadline the answer would take thirty.
  private func ask(_ pod: JSONValue) async throws -> JSONValue {
    let cluster = try cluster()
    return try await withClient(trusting: cluster.certificates.authorityPath) { client in
      let reply = try await client.post(
        "\(cluster.hook.address)?timeout=5s", review(pod).encoded, timeout: .seconds(7))
      #expect(reply.status == 200)
      return try #require(reply.response)
    }
  }

  /// Waits until each server by itself says that nobody has the lock.
  private func expectFree(_ key: String, on servers: [RedisServer]) async throws {
    for server in servers {
      let processes = try cluster().processes
      try await eventually("\(key) is free on \(server.name)") {
        try await processes.status(key, [server])?["held"] == false ? true : nil
      }
    }
  }

  @Test func oneServerThatStandsStillChangesNoDecision() async throws {
    let cluster = try cluster()
    for (number, server) in cluster.redis.enumerated() {
      try await server.pause()
      let pod = guardedPod("one", key: "still-\(number)")
      #expect(try await ask(pod)["allowed"] == true)
      let refusal = try await ask(guardedPod("two", key: "still-\(number)"))
      #expect(refusal["status"]?["code"] == 403)
      server.resume()
    }
  }

  @Test func twoServersThatStandStillAreNamedInTimeAndNothingStaysTaken() async throws {
    let cluster = try cluster()
    let (first, second) = (cluster.redis[0], cluster.redis[2])
    try await first.pause()
    try await second.pause()
    let answer = try await ask(guardedPod("half", key: "half"))
    #expect(answer["allowed"] == false)
    #expect(answer["status"]?["code"] == 500)
    let message = answer["status"]?["message"]?.string ?? ""
    #expect(message.contains(first.address) && message.contains(second.address), "\(message)")
    #expect(!message.contains(cluster.redis[1].address), "\(message)")
    first.resume()
    second.resume()
    try await expectFree("team-a/half", on: cluster.redis)
    try await cluster.hook.waitUntilReady()
    #expect(try await ask(guardedPod("other", key: "half"))["allowed"] == true)
  }

  @Test func allServersThatStandStillAreNamedInTimeAndNothingStaysTaken() async throws {
    let cluster = try cluster()
    for server in cluster.redis { try await server.pause() }
    let answer = try await ask(guardedPod("none", key: "none"))
    #expect(answer["allowed"] == false)
    #expect(answer["status"]?["code"] == 500)
    let message = answer["status"]?["message"]?.string ?? ""
    // The decision fell with the second of them.
    #expect(cluster.redis.count { message.contains($0.address) } >= 2, "\(message)")
    // Pods that nobody guards do not need the store.
    #expect(try await ask(plainPod("plain"))["allowed"] == true)
    for server in cluster.redis { server.resume() }
    try await expectFree("team-a/none", on: cluster.redis)
    try await cluster.hook.waitUntilReady()
    #expect(try await ask(guardedPod("other", key: "none"))["allowed"] == true)
  }

  /// The user of kubectl gives up while the store stands still: nobody will start that Pod.
  @Test func aCallerThatHangsUpLeavesNoClaim() async throws {
    let cluster = try cluster()
    for server in cluster.redis { try await server.pause() }
    let body = String(decoding: review(guardedPod("gone", key: "gone")).encoded, as: UTF8.self)
    try await RawConnection.with(port: cluster.hook.port) { connection in
      try await connection.write(
        "POST /mutate?timeout=30s HTTP/1.1\r\nhost: localhost\r\n"
          + "content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
          + body)
    }
    for server in cluster.redis { server.resume() }
    // A claim that stayed would keep the next Pod out for two minutes.
    try await eventually("the next Pod is admitted") {
      let reply = try await self.ask(guardedPod("next", key: "gone"))
      return reply["allowed"] == true ? true : nil
    }
  }
}
