import JSON
import LocalKubelet
import LocalServers
import Testing

/// Pods that two variants of each hook guard, in any order of the webhooks.
@Suite(.serialized) struct BothHooksTests {
  typealias Hook = LocalCluster.Hook

  private static let locks = Hook(.exactlyOne)
  private static let seats = Hook(.exactlyOne, variant: "seat")
  private static let permits = Hook(.atLeastSemaphore)
  private static let slots = Hook(.atLeastSemaphore, variant: "slot")

  struct Order: Sendable, CustomTestStringConvertible {
    let hooks: [Hook]
    var testDescription: String {
      hooks.map { "\($0.program)\($0.variant.map { " \($0)" } ?? "")" }.joined(separator: ", ")
    }
  }

  private func guarded(_ name: String) -> JSONValue {
    var pod = plainPod(name)
    pod.ask(for: "writer")
    pod.ask(for: "chair", variant: "seat")
    pod.askForPermit(of: "licence", length: 2)
    pod.askForPermit(of: "gpu", length: 1, variant: "slot")
    return pod
  }

  private func only(
    _ name: String, _ ask: (inout JSONValue) -> Void
  ) -> JSONValue {
    var pod = plainPod(name)
    ask(&pod)
    return pod
  }

  /// Sidecars and what each has.
  private static let keys = [
    "exactly-one-pod-sidecar": "team-a/writer", "exactly-one-pod-sidecar-seat": "team-a/chair",
    "at-least-semaphore-pod-sidecar": "team-a/licence",
    "at-least-semaphore-pod-sidecar-slot": "team-a/gpu",
  ]

  @Test(arguments: [
    Order(hooks: [locks, seats, permits, slots]), Order(hooks: [slots, locks, permits, seats]),
    Order(hooks: [permits, slots, seats, locks]),
  ])
  func eachHookAdmitsOnceAndAllGatesOpenInTurn(_ order: Order) async throws {
    try await withCluster {
      $0.redisCount = 1
      $0.hooks = order.hooks
    } _: { cluster in
      let pod = try await cluster.kubelet.create(guarded("all"))
      let sidecars = pod.object.sidecars
      #expect(Set(sidecars.compactMap { $0["name"]?.string }) == Set(Self.keys.keys))
      let ports = sidecars.compactMap { $0["startupProbe"]?["httpGet"]?["port"]?.integer }
      #expect(Set(ports).count == 4, "\(ports)")
      #expect(ports.allSatisfy { (65_528...65_531).contains($0) }, "\(ports)")
      try await pod.wait(for: .appRunning)
      for (name, key) in Self.keys {
        let lock = try await pod.heldLock(of: name)
        #expect(lock.key == key)
        #expect((lock.fencingToken != nil) == name.hasPrefix("exactly-one"))
      }
      // Each behind the gates of those before it.
      let events = pod.events.map(\.event)
      #expect(events.filter { $0 == .sidecarStarted }.count == 4)
      #expect(events.prefix { $0 != .gateOpen }.count { $0 == .sidecarStarted } == 4)
      #expect(try await cluster.rawCounts("licence") == RawCounts(queue: 1, inFlight: 1))
      #expect(try await cluster.rawCounts("gpu") == RawCounts(queue: 0, inFlight: 1))

      try await expectDenials(by: cluster.kubelet)
      try await pod.delete()
      #expect(pod.count(.sidecarExited(.exited(0))) == 4)
      #expect(try await cluster.rawCounts("licence") == RawCounts(queue: 2, inFlight: 0))
      #expect(try await cluster.rawCounts("gpu") == RawCounts(queue: 1, inFlight: 0))
      for key in ["team-a/writer", "team-a/chair"] {
        #expect(try await cluster.processes.status(key, cluster.redis)?["held"] == false)
      }
      let (next, _) = try await cluster.kubelet.admit(guarded("next"))
      #expect(next.sidecars.count == 4)
    }
  }

  /// What each hook says when it alone refuses.
  private func expectDenials(by kubelet: LocalKubelet) async throws {
    let writer = try await kubelet.refusal(of: only("writer") { $0.ask(for: "writer") })
    #expect(writer.code == 403 && writer.message.contains("lock already taken by Pod all"))
    let chair = try await kubelet.refusal(
      of: only("chair") { $0.ask(for: "chair", variant: "seat") })
    #expect(chair.code == 403 && chair.message.contains("lock already taken by Pod all"))
    let gpu = try await kubelet.refusal(
      of: only("gpu") { $0.askForPermit(of: "gpu", length: 1, variant: "slot") })
    #expect(gpu.code == 403)
    #expect(gpu.message.contains("no semaphore available: 1 of 1 permit is in flight"))
    #expect(gpu.message.contains("Pod all on node node-of-all"))
    let unsized = try await kubelet.refusal(
      of: only("unsized") { $0.askForPermit(of: "licence", length: 0) })
    #expect(unsized.code == 403 && unsized.message.contains("valid length is not set"))
    let endless = try await kubelet.refusal(
      of: only("endless") { $0.ask(for: "free", expiration: 0, variant: "seat") })
    #expect(endless.code == 403 && endless.message.contains("valid expiration is not set"))
  }

  @Test func whatOneHookTookIsNotKeptWhenTheOtherRefusesADryRun() async throws {
    try await withCluster {
      $0.redisCount = 1
      $0.hooks = [Self.permits, Self.locks]
    } _: { cluster in
      var pod = plainPod("dry")
      pod.ask(for: "writer")
      pod.askForPermit(of: "licence", length: 1)
      let (answer, _) = try await cluster.kubelet.admit(pod, dryRun: true)
      #expect(answer.sidecars.count == 2)
      #expect(try await cluster.rawCounts("licence") == RawCounts(queue: 0, inFlight: 0))
      _ = try await cluster.kubelet.admit(pod)
      #expect(try await cluster.rawCounts("licence") == RawCounts(queue: 0, inFlight: 1))
    }
  }

  /// On one store without a prefix both would use the same names for their locks.
  @Test func aSharedStoreWithoutAPrefixIsSaidToBeTheFault() async throws {
    try await withCluster {
      $0.redisCount = 1
      $0.hooks = [Self.locks, Self.permits]
      $0.hooks[1].keyPrefix = ""
    } _: { cluster in
      _ = try await cluster.kubelet.create(only("writer") { $0.ask(for: "same") })
      let refusal = try await cluster.kubelet.refusal(
        of: only("permit") { $0.askForPermit(of: "same", length: 2) })
      #expect(refusal.code == 500)
      #expect(refusal.message.contains("a lock of exactly-one-pod-hook under this name"))
      #expect(refusal.message.contains("--key-prefix"))
      #expect(refusal.message.contains("Pod writer"))
    }
  }
}
