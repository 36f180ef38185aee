import AdmissionReview
import Coordination
import JSON
import RedisClient
import ServiceKit
import Testing

@testable import PodHook

/// What the webhook writes, the sidecar reads: both ends of one contract.
@Suite struct PermitRoundTripTests {
  @Test(arguments: [
    ("team a/b~c", true, Fence.restartAll, false), ("k$(POD_NAME)", true, .liveness, true),
    ("k", false, .none, false), ("-x", true, .none, true),
  ])
  func readsWhatTheWebhookWrites(
    key: String, isGated: Bool, fence: Fence, isHostNetwork: Bool
  ) async throws {
    let webhook = try PermitWebhookCommand.read([
      "--redis-addresses", "a:1,b:2,c:3", "--queue-redis-address", "q:4", "--variant", "blue",
      "--heartbeat-interval-seconds", "7", "--stale-threshold-seconds", "50",
      "--fence", fence.rawValue,
      isGated ? "--enable-sidecar-containers" : "--no-enable-sidecar-containers",
    ])
    #expect(webhook.faults == [])
    let admitting = PermitAdmitting(
      webhook.template, variant: "blue", heartbeatInterval: webhook.heartbeatInterval,
      staleAfter: webhook.queue.staleAfter)
    let pod = Pods.permitPod(
      key: key, length: "12", expiration: "90",
      spec: ["hostNetwork": .bool(isHostNetwork), "terminationGracePeriodSeconds": 77],
      variant: "blue")
    let admitted = try await admitting.admit(pod)
    let arguments = (admitted.sidecar["args"]?.array ?? []).compactMap {
      $0.string?.replacing("$$", with: "$")
    }
    #expect(arguments.first == "sidecar")
    let read = try PermitSidecarCommand.read(Array(arguments.dropFirst()))
    #expect(read.faults == [])
    let configuration = read.configuration
    #expect(configuration.key == NamespacedKey(namespace: "demo", key: key))
    #expect(configuration.token == admitted.token && configuration.isGated == isGated)
    #expect(configuration.fence == fence && configuration.gracePeriod == .seconds(77))
    #expect(
      read.terms
        == PermitTerms(
          length: 12, lockTime: .seconds(90), heartbeatInterval: .seconds(7)))
    #expect(read.queue.staleAfter == .seconds(50) && read.queue.address.port == 4)
    #expect(read.store.redis.addresses.map(\.port) == [1, 2, 3])
    let id = admitted.token.publicID
    #expect(
      read.address
        == (isHostNetwork
          ? .abstract(name: "at-least-semaphore-pod-sidecar-blue-\(id)")
          : .tcp(host: "", port: 65530)))
  }

  @Test func withASecretTheSidecarLooksForItsCredentialsThere() async throws {
    let webhook = try PermitWebhookCommand.read(["--sidecar-secret", "store"])
    let admitted = try await PermitAdmitting(webhook.template).admit(Pods.permitPod())
    let directory = "/var/run/secrets/hippocampus"
    #expect(admitted.sidecar.argument("--redis-credentials-directory") == directory)
    #expect(admitted.sidecar["volumeMounts"]?[0]?["mountPath"] == .string(directory))
    #expect(
      admitted.pod["spec"]?["volumes"]
        == [
          [
            "name": "at-least-semaphore-pod-sidecar-secret",
            "secret": ["secretName": "store"],
          ]
        ])
  }
}
