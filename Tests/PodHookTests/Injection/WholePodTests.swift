import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

/// The complete Pod after admission, against what was sent plus what is to be added.
@Suite struct WholePodTests {
  /// The sidecar of a gated Pod with the fence `restart-all`, as Kubernetes sees it.
  static func sidecar(
    _ token: Token, key: String, expiration: Int, margin: Int, grace: Int
  ) throws -> JSONValue {
    try JSONValue(
      parsing: """
        {"name": "exactly-one-pod-sidecar", "image": "hook:1",
        "args": ["sidecar", "\(key)", "\(token.text)", "--expiration-seconds", "\(expiration)",
          "--fence-margin-seconds", "\(margin)", "--fence", "restart-all",
          "--termination-grace-period-seconds", "\(grace)",
          "--probe-address", ":65531", "--redis-addresses", "r:1"],
        "env": [
          {"name": "POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
          {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
          {"name": "POD_NAMESPACE",
            "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
          {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "32Mi"}},
        "restartPolicy": "Always",
        "restartPolicyRules": [{"action": "RestartAllContainers",
          "exitCodes": {"operator": "In", "values": [42]}}],
        "startupProbe": {"httpGet": {"path": "/startupz/\(token.publicID)", "port": 65531},
          "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 2147483647},
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
          "privileged": false, "readOnlyRootFilesystem": true, "runAsGroup": 65532,
          "runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}}
        """)
  }

  private func admit(_ name: String) async throws -> (before: JSONValue, after: Admitted) {
    var template = Admitting.template
    template.storeArguments = ["--redis-addresses", "r:1"]
    let admitting = Admitting(template)
    let review = try Reviews.recorded(name)
    let before = try #require(review["request"]?["object"])
    let verdict = try await admitting.review(review)
    #expect(verdict.outcome == .granted && verdict.response.warnings == [])
    return (before, try Admitted(verdict, before, admitting.identity))
  }

  private func addMetadata(_ pod: inout JSONValue, _ token: Token) {
    pod["metadata"]?["annotations"]?[Pods.domain + "/fencing-token"] = "1"
    if pod["metadata"]?["labels"] == nil { pod["metadata"]?["labels"] = [:] }
    pod["metadata"]?["labels"]?[Pods.domain + "/managed"] = "true"
    pod["metadata"]?["labels"]?[Pods.domain + "/lock-id"] = .string(token.publicID)
  }

  @Test func aDeploymentsPodWithInitContainers() async throws {
    let (before, after) = try await admit("deployment-pod-with-init-and-native-sidecar")
    var expected = before
    addMetadata(&expected, after.token)
    // Three other containers: 3 s, and 2 s for each.
    let sidecar = try Self.sidecar(
      after.token, key: "demo/singleton-web", expiration: 60, margin: 9, grace: 45)
    let others = try #require(before["spec"]?["initContainers"]?.array)
    expected["spec"]?["initContainers"] = .array([sidecar] + others)
    #expect(after.pod.differences(from: expected) == [])
    #expect(after.verdict.pod == "singleton-web-56bd5d6bd6-…")
  }

  @Test func aJobsPodWithoutInitContainers() async throws {
    let (before, after) = try await admit("job-pod")
    var expected = before
    addMetadata(&expected, after.token)
    expected["spec"]?["initContainers"] = [
      try Self.sidecar(
        after.token, key: "demo/nightly-batch", expiration: 86400, margin: 5, grace: 30)
    ]
    #expect(after.pod.differences(from: expected) == [])
  }

  @Test func aPodWithoutLabels() async throws {
    let (before, after) = try await admit("generate-name-pod")
    #expect(before["metadata"]?["labels"] == nil)
    var expected = before
    addMetadata(&expected, after.token)
    expected["spec"]?["initContainers"] = [
      try Self.sidecar(after.token, key: "demo/dry", expiration: 60, margin: 5, grace: 30)
    ]
    #expect(after.pod.differences(from: expected) == [])
  }

  @Test func aPodOnTheHostsNetwork() async throws {
    let (before, after) = try await admit("bare-pod-host-network-odd-key")
    var expected = before
    addMetadata(&expected, after.token)
    var sidecar = try Self.sidecar(
      after.token, key: "demo/team a/b~c", expiration: 3600, margin: 5, grace: 30)
    let address = "unix:@exactly-one-pod-sidecar-\(after.token.publicID)"
    var arguments = try #require(sidecar["args"]?.array)
    arguments[12] = .string(address)
    sidecar["args"] = .array(arguments)
    sidecar["startupProbe"]?["httpGet"] = nil
    sidecar["startupProbe"]?["exec"] = [
      "command": [
        "/exactly-one-pod-hook", "sidecar", "check", "--probe-address", .string(address),
        "--path", .string("/startupz/\(after.token.publicID)"),
      ]
    ]
    expected["spec"]?["initContainers"] = [sidecar]
    #expect(after.pod.differences(from: expected) == [])
  }

  @Test func aTokenThatTheUserWroteIsOverwritten() async throws {
    let admitted = try await Admitting().admit(Pods.pod(annotations: ["fencing-token": "999"]))
    #expect(admitted.pod.annotation(Pods.domain + "/fencing-token") == "1")
  }

  /// It names the lock and does not give it away.
  @Test func thePublicIDIsNoPartOfTheToken() async throws {
    let admitted = try await Admitting().admit(Pods.pod())
    #expect(admitted.token.text.utf8.count == 32)
    #expect(admitted.token.publicID.utf8.count == 16)
    #expect(!admitted.token.text.contains(admitted.token.publicID))
  }
}
