import JSON
import LocalKubelet
import LocalServers
import Testing

/// Redis servers die under a Pod that holds its lock.
@Suite(.serialized) struct StoreLossTests {
  @Test func whenAllServersAreGoneTheLockIsLostInTimeAndComesBack() async throws {
    try await withCluster {
      $0.redis.appendOnly = true
    } _: { cluster in
      // With a margin of 5 s, which a busy machine does not use up.
      let expiration = 15
      let pod = try await cluster.kubelet.create(
        guardedPod("lonely", key: "lonely", expiration: expiration))
      try await pod.wait(for: .appRunning)
      let before = try await pod.lock()
      for server in cluster.redis { try await server.kill() }
      let start = ContinuousClock.now
      let exit = try await pod.wait(for: .sidecarExited(.exited(42)))
      try await pod.wait(for: .appStopped)
      #expect(exit.at - start < .seconds(expiration))

      try await pod.wait(for: .sidecarStarted, count: 2)
      try await eventually("the sidecar asks in vain") {
        pod.sidecarOutput.contains { $0.contains("lock could not be read") } ? true : nil
      }
      #expect(try await !pod.lock().held)
      #expect(pod.count(.gateOpen) == 1 && !pod.isAppRunning)
      let refusal = try await cluster.kubelet.refusal(of: guardedPod("other", key: "lonely"))
      #expect(refusal.code == 500)
      let named = cluster.redis.count { refusal.message.contains($0.address) }
      #expect(named >= 2, "\(refusal.message)")

      for server in cluster.redis { try await server.restart() }
      try await pod.wait(for: .gateOpen, count: 2, within: .seconds(60))
      try await pod.wait(for: .appRunning, count: 2)
      #expect(try await #require(pod.heldLock().fencingToken) >= #require(before.fencingToken))
    }
  }

  /// The new sidecar cannot ask anybody until when its application is safe: the Pod tells it.
  @Test func aSidecarThatCrashesWhileTheServersAreGoneStillFencesInTime() async throws {
    try await withCluster { cluster in
      let expiration = 15
      let pod = try await cluster.kubelet.create(
        guardedPod("crashing", key: "crashing", expiration: expiration))
      try await pod.wait(for: .appRunning)
      for server in cluster.redis { try await server.kill() }
      let start = ContinuousClock.now
      pod.killSidecar()
      let exit = try await pod.wait(for: .sidecarExited(.exited(42)))
      #expect(exit.at - start < .seconds(expiration))
      try await pod.wait(for: .appStopped)
      #expect(pod.count(.gateOpen) == 1)
    }
  }

  @Test func aServerThatComesBackEmptyLetsNoSecondHolderIn() async throws {
    try await withCluster { cluster in
      let pod = try await cluster.kubelet.create(guardedPod("holder", key: "empty", expiration: 9))
      try await pod.wait(for: .appRunning)
      let before = try await pod.lock()
      for server in cluster.redis {
        try await server.restart(empty: true)
        try await cluster.hook.waitUntilReady()
        let refusal = try await cluster.kubelet.refusal(of: guardedPod("other", key: "empty"))
        #expect(refusal.code == 403)
        // The next renewal puts the lock back, so that the quorum does not erode.
        try await eventually("the lock is back on \(server.name)") {
          let status = try await cluster.processes.status("team-a/empty", [server])
          return status?["held"] == true ? true : nil
        }
      }
      let after = try await pod.lock()
      #expect(after.held && after.fencingToken == before.fencingToken)
      #expect(pod.count(.appStopped) == 0)
      try await pod.delete()
      let next = try await cluster.kubelet.create(guardedPod("other", key: "empty"))
      #expect(try #require(next.object.fencingToken) > #require(before.fencingToken))
    }
  }
}
