import JSON
import LocalKubelet
import LocalServers
import Testing

/// Pods that are not like most: on the host's network, with two hooks, without a gate, late.
@Suite(.serialized) struct PodKindTests {
  @Test func aPodOnTheHostsNetworkIsProbedOverASocketWithoutPort() async throws {
    try await withCluster { cluster in
      let kubelet = cluster.kubelet
      var object = guardedPod("host", key: "host")
      object["spec"]?["hostNetwork"] = true
      let pod = try await kubelet.create(object)
      #expect(pod.probePorts.isEmpty)
      let probe = pod.object.sidecars.first?["startupProbe"]?["exec"]?["command"]?.array ?? []
      #expect(probe.count == 7 && probe.dropFirst().prefix(2) == ["sidecar", "check"])
      try await pod.wait(for: .appRunning)

      let words = probe.compactMap(\.string)
      let open = try await cluster.processes.run(Array(words.dropFirst()))
      #expect(open.status == .exited(0) && open.text == "200 open")
      let another = try await cluster.processes.run(words.dropFirst().dropLast() + ["/startupz/0"])
      #expect(another.status == .exited(1) && another.text.hasPrefix("404 "))

      var second = guardedPod("host-2", key: "host", policy: "wait")
      second["spec"]?["hostNetwork"] = true
      let waiting = try await kubelet.create(second)
      try await eventually("the second waits") {
        waiting.sidecarOutput.contains { $0.contains("waiting for the lock") } ? true : nil
      }
      #expect(waiting.count(.gateOpen) == 0)
      try await pod.delete()
      try await waiting.wait(for: .appRunning)
      // Nobody listens any more.
      let gone = try await cluster.processes.run(Array(words.dropFirst()))
      #expect(gone.status == .exited(1) && gone.lines.count == 1, "\(gone.text)")
    }
  }

  @Test func aPodMayBeGuardedByTwoHooks() async throws {
    try await withCluster {
      $0.hooks = [.init(.exactlyOne), .init(.exactlyOne, variant: "license")]
    } _: { cluster in
      var object = guardedPod("two", key: "writer")
      object.ask(for: "seat", variant: "license")
      let pod = try await cluster.kubelet.create(object)
      let names = pod.object.sidecars.compactMap { $0["name"]?.string }.sorted()
      #expect(names == ["exactly-one-pod-sidecar", "exactly-one-pod-sidecar-license"])
      let ports = Set(
        pod.object.sidecars.compactMap { $0["startupProbe"]?["httpGet"]?["port"]?.integer })
      #expect(ports == [65531, 65530])
      try await pod.wait(for: .appRunning)
      #expect(try await pod.heldLock(of: names[0]).key == "team-a/writer")
      #expect(try await pod.heldLock(of: names[1]).key == "team-a/seat")

      let kubelet = cluster.kubelet
      _ = try await kubelet.refusal(of: guardedPod("a", key: "writer"))
      _ = try await kubelet.refusal(of: guardedPod("b", key: "seat", variant: "license"))
      try await pod.delete()
      #expect(pod.count(.sidecarExited(.exited(0))) == 2)
      _ = try await kubelet.create(guardedPod("a", key: "writer"))
      _ = try await kubelet.create(guardedPod("b", key: "seat", variant: "license"))
    }
  }

  @Test func withoutAGateTheLockIsKeptUntilTheGracePeriodEnds() async throws {
    try await withCluster {
      $0.hookArguments = ["--no-enable-sidecar-containers"]
    } _: { cluster in
      let kubelet = cluster.kubelet
      var object = guardedPod("ungated", key: "ungated")
      object.set(gracePeriod: 4)
      let pod = try await kubelet.create(object)
      #expect(pod.object["spec"]?["initContainers"] == nil)
      #expect(pod.object["spec"]?["containers"]?.array?.count == 2)
      #expect(pod.object.sidecars.first?["startupProbe"] == nil)
      let lock = try await pod.heldLock()
      #expect(lock.fencingToken == pod.object.fencingToken)

      let next = kubelet.apply(try Manifest(guardedPod("next", key: "ungated")))
      _ = try await next.refusal()
      async let deletion: Void = pod.delete()
      let terminating = try await pod.wait(for: .sidecarTerminating)
      let stopped = try await pod.wait(for: .appStopped)
      let admitted = try await next.pod().wait(for: .admitted)
      try await deletion
      #expect(stopped.at < admitted.at)
      // Kept for the application, which may take its whole grace period.
      #expect(admitted.at - terminating.at > .seconds(2))
      #expect(pod.count(.sidecarExited(.exited(0))) == 1)
    }
  }

  @Test func aSidecarThatStartsAfterItsClaimRanOutAcquiresAnew() async throws {
    try await withCluster {
      $0.hookArguments = ["--claim-seconds", "1"]
    } _: { cluster in
      let kubelet = cluster.kubelet
      let (late, _) = try await kubelet.admit(guardedPod("late", key: "late"))
      let (taken, _) = try await kubelet.admit(guardedPod("loser", key: "taken"))
      for key in ["team-a/late", "team-a/taken"] {
        try await eventually("the claim of \(key) has run out") {
          try await cluster.processes.status(key, cluster.redis)?["held"] == false ? true : nil
        }
      }
      // Nobody took the lock meanwhile: it is acquired anew.
      let pod = try kubelet.start(admitted: late)
      try await pod.wait(for: .appRunning)
      #expect(try await #require(pod.heldLock().fencingToken) > #require(late.fencingToken))

      // Somebody did: it waits.
      let winner = try await kubelet.create(guardedPod("winner", key: "taken"))
      try await winner.wait(for: .appRunning)
      let loser = try kubelet.start(admitted: taken)
      try await eventually("the late one waits") {
        loser.sidecarOutput.contains { $0.contains("waiting for the lock") } ? true : nil
      }
      #expect(loser.count(.gateOpen) == 0)
      try await winner.delete()
      try await loser.wait(for: .appRunning)
      let lock = try await loser.heldLock()
      #expect(try #require(lock.fencingToken) > #require(winner.object.fencingToken))
    }
  }

  @Test func theLivenessFenceStopsTheApplicationOfAFrozenSidecar() async throws {
    try await withCluster {
      $0.hookArguments = ["--fence", "liveness"]
    } _: { cluster in
      let pod = try await cluster.kubelet.create(guardedPod("fenced", key: "fenced"))
      #expect(pod.object.sidecars.first?["restartPolicyRules"] == nil)
      try await pod.wait(for: .appRunning)
      pod.signalSidecars(.stop)
      try await pod.wait(for: .appStopped)
      pod.signalSidecars(.resume)
      #expect(try await pod.heldLock().fencingToken == pod.object.fencingToken)
      try await pod.delete()
      #expect(pod.count(.sidecarExited(.exited(0))) == 1)
    }
  }
}
