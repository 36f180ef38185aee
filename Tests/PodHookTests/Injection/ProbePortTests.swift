import AdmissionReview
import Coordination
import JSON
import Testing

@testable import PodHook

@Suite struct ProbePortTests {
  private func port(_ spec: [String: JSONValue]) async throws -> Int? {
    let sidecar = try await Admitting().admit(Pods.pod(spec: spec)).sidecar
    let port = sidecar["startupProbe"]?["httpGet"]?["port"]?.integer
    #expect(sidecar.argument("--probe-address") == port.map { ":\($0)" })
    #expect(sidecar["ports"] == nil)
    return port
  }

  @Test(
    arguments: [
      ["ports": [["containerPort": 65531]]],
      ["ports": [["containerPort": 80], ["containerPort": 65531, "protocol": "UDP"]]],
      ["livenessProbe": ["httpGet": ["path": "/", "port": 65531]]],
      ["readinessProbe": ["tcpSocket": ["port": 65531]]],
      ["startupProbe": ["grpc": ["port": 65531]]],
      ["args": ["sidecar", "a/b", "t", "--probe-address", "0.0.0.0:65531"]],
    ] as [[String: JSONValue]])
  func theNextLowerPortIsTakenIfAnotherContainerUsesIt(
    container: [String: JSONValue]
  ) async throws {
    let other = Pods.container("other", container)
    #expect(try await port(["containers": [other]]) == 65530)
    #expect(
      try await port(["containers": [Pods.container("app")], "initContainers": [other]])
        == 65530)
  }

  @Test func severalPortsInARowAreSkipped() async throws {
    let ports: JSONValue = [
      ["containerPort": 65531], ["containerPort": 65530], ["containerPort": 65528],
    ]
    #expect(try await port(["containers": [Pods.container("c", ["ports": ports])]]) == 65529)
  }

  @Test func namedAndHostPortsAreNotOurs() async throws {
    let other = Pods.container(
      "other",
      [
        "ports": [["containerPort": 80, "hostPort": 65531, "name": "x"]],
        "livenessProbe": ["httpGet": ["path": "/", "port": "x"]],
      ])
    #expect(try await port(["containers": [other]]) == 65531)
  }

  @Test func theStaleSidecarOfACopyUsesNothing() async throws {
    let stale = Pods.container(
      "exactly-one-pod-sidecar",
      ["args": ["sidecar", "demo/k", "t", "--probe-address", "0.0.0.0:65531"]])
    #expect(try await port(["initContainers": [stale]]) == 65531)
  }

  private static let atLeast = HookIdentity(
    domain: "at-least-semaphore-pod-hook.kaidotio.github.io", guardName: "at-least-semaphore-pod",
    sidecarName: "at-least-semaphore-pod-sidecar", executable: "/at-least-semaphore-pod-hook",
    variant: nil)

  /// Two hooks in one Pod, by turns, in both orders, each called twice.
  @Test(arguments: [true, false], ["blue", "at-least"])
  func twoHooksShareAPod(isReversed: Bool, other: String) async throws {
    let first = Admitting()
    let second =
      other == "blue" ? Admitting(variant: "blue") : Admitting(Admitting.template, Self.atLeast)
    var pod = Pods.pod(spec: ["initContainers": [Pods.container("init")]])
    for name in ["guard", "key", "expiration"] {
      let value: JSONValue = name == "guard" ? "true" : name == "key" ? "k2" : "60"
      let annotation =
        name == "guard" ? second.identity.guardAnnotation : second.identity.name(name)
      pod["metadata"]?["annotations"]?[annotation] = value
    }
    let order = isReversed ? [second, first] : [first, second]
    for hook in order { pod = try await hook.admit(pod).pod }
    let settled = pod
    for hook in order {
      let again = try await hook.create(pod)
      #expect(again.outcome == .reinvoked && again.response.patch == nil)
    }
    let names = order.map(\.identity.containerName)
    #expect(settled.names(of: "initContainers") == names.reversed() + ["init"])
    let ports = names.map {
      settled.container($0)?["startupProbe"]?["httpGet"]?["port"]?.integer
    }
    #expect(ports == [65531, 65530])
  }

  /// The claim of the first hook ran out before it was called again: only its own sidecar changes.
  @Test func aReplacedSidecarLeavesTheOtherHooksAlone() async throws {
    let (plain, blue) = (Admitting(), Admitting(variant: "blue"))
    var pod = Pods.pod()
    for (name, value) in ["exactly-one-pod": "true", "key": "k2", "expiration": "60"] {
      pod["metadata"]?["annotations"]?["blue.\(Pods.domain)/\(name)"] = .string(value)
    }
    pod = try await plain.admit(pod).pod
    pod = try await blue.admit(pod).pod
    plain.time.advance(by: .seconds(120))
    let again = try await plain.admit(pod)
    #expect(again.verdict.outcome == .granted)
    #expect(again.pod.names(of: "initContainers") == pod.names(of: "initContainers"))
    #expect(
      again.pod.container("exactly-one-pod-sidecar-blue")
        == pod.container("exactly-one-pod-sidecar-blue"))
    #expect(again.sidecar.argument("--probe-address") == ":65531")
  }
}
