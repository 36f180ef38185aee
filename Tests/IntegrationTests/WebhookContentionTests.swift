import AsyncHTTPClient
import JSON
import LocalKubelet
import LocalServers
import Testing

/// Many Pods at once want the same lock, and servers may be as slow as a busy machine makes them.
@Suite(.serialized, .cluster { $0.hookArguments = ["--redis-timeout", "20s"] })
struct WebhookContentionTests {
  @Test func ofTwoHundredPodsExactlyOneIsAdmittedAgainAndAgain() async throws {
    let cluster = try cluster()
    let address = "\(cluster.hook.address)?timeout=30s"
    var lastToken = 0
    for round in 1...5 {
      let admitted = try await withClient(
        trusting: cluster.certificates.authorityPath, connections: 64
      ) { client in
        try await withThrowingTaskGroup(of: JSONValue?.self) { group in
          for number in 0..<200 {
            group.addTask {
              let pod = guardedPod("pod-\(round)-\(number)", key: "crowd")
              let reply = try await client.post(address, review(pod).encoded)
              return reply.response
            }
          }
          return try await group.reduce(into: [JSONValue]()) { admitted, response in
            if response?["allowed"] == true, let response { return admitted.append(response) }
            #expect(response?["status"]?["code"] == 403, "\(String(describing: response))")
          }
        }
      }
      #expect(admitted.count == 1)
      let status = try await cluster.processes.status("team-a/crowd", cluster.redis)
      let token = try #require(status?["fencingToken"]?.integer)
      #expect(status?["held"] == true && token > lastToken)
      lastToken = token
      let release = try await cluster.processes.run([
        "release", "team-a/crowd", "--force", "--redis-addresses",
        cluster.redis.map(\.address).joined(separator: ","),
      ])
      #expect(release.status == .exited(0), "\(release.text)")
    }
  }
}
