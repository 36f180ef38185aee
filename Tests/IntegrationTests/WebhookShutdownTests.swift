import AsyncHTTPClient
import JSON
import LocalKubelet
import LocalServers
import Testing

/// The webhook is told to stop while it is busy.
@Suite(.serialized) struct WebhookShutdownTests {
  /// Clients that go on until their endpoints controller has seen that the webhook is not ready.
  @Test func noRequestIsLostWhenItIsToldToStop() async throws {
    try await withCluster {
      // As long as the clients need; then a second signal ends it.
      $0.hookArguments = ["--lameduck", "300s"]
    } _: { cluster in
      let hook = cluster.hook
      let answered = Observed(0)
      let isTold = Observed(false)
      let afterSignal = try await withClient(
        trusting: cluster.certificates.authorityPath, connections: 16
      ) { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for worker in 0..<16 {
            group.addTask {
              var number = 0
              while !isTold.current {
                number += 1
                let pod =
                  number.isMultiple(of: 2)
                  ? guardedPod("p", key: "load-\(worker)-\(number)") : plainPod("p")
                let reply = try await client.post(hook.address, review(pod).encoded)
                #expect(reply.response?["allowed"] == true, "\(reply.text)")
                answered.update { $0 += 1 }
              }
            }
          }
          defer { isTold.update { $0 = true } }
          _ = try await answered.first { $0 >= 100 ? true : nil }
          hook.process.signal(.terminate)
          try await eventually("readiness fails") {
            let url = "http://127.0.0.1:\(hook.probePort)/readyz"
            return try await HTTPClient.shared.get(url).status == 503 ? true : nil
          }
          let before = answered.current
          _ = try await answered.first { $0 >= before + 32 ? true : nil }
          isTold.update { $0 = true }
          try await group.waitForAll()
          return answered.current - before
        }
      }
      #expect(afterSignal >= 32)
      hook.process.signal(.interrupt)
      let status = try await withDeadline(.seconds(30), "the webhook ends") {
        try await hook.process.waitForExit()
      }
      #expect(status == .exited(0), "\(hook.process.output.suffix(5))")
    }
  }

  @Test func aSecondSignalEndsTheLameDuckTime() async throws {
    try await withCluster {
      $0.redisCount = 1
      $0.hookArguments = ["--lameduck", "300s"]
    } _: { cluster in
      cluster.hook.process.signal(.terminate)
      try await withDeadline(.seconds(30), "the signal is seen") {
        try await cluster.hook.process.line(containing: "Stopping")
      }
      cluster.hook.process.signal(.interrupt)
      let status = try await withDeadline(.seconds(30), "the webhook ends") {
        try await cluster.hook.process.waitForExit()
      }
      #expect(status == .exited(0))
    }
  }
}
