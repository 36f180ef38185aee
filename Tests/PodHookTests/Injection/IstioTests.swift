import AdmissionReview
import JSON
import PodHook
import Testing

/// Probes and the store must go around Istio's proxy.
@Suite struct IstioTests {
  private static let inbound = "traffic.sidecar.istio.io/excludeInboundPorts"
  private static let outbound = "traffic.sidecar.istio.io/excludeOutboundPorts"

  private var admitting: Admitting {
    var template = Admitting.template
    template.storePorts = [6379, 6380]
    return Admitting(template)
  }

  @Test(arguments: [
    ["sidecar.istio.io/inject": "true"], ["istio.io/rev": "stable"],
  ])
  func aLabelledPodIsExcluded(labels: [String: String]) async throws {
    let pod = try await admitting.admit(Pods.pod(labels: labels)).pod
    #expect(pod.annotation(Self.inbound) == "65531")
    #expect(pod.annotation(Self.outbound) == "6379,6380")
  }

  @Test(arguments: ["sidecar.istio.io/inject": "true", "sidecar.istio.io/status": "{}"])
  func anAnnotatedPodIsExcluded(name: String, value: String) async throws {
    let pod = try await admitting.admit(Pods.pod(annotations: [name: .string(value)])).pod
    #expect(pod.annotation(Self.inbound) == "65531")
  }

  @Test(arguments: ["containers", "initContainers"])
  func aPodWithTheProxyInsideIsExcluded(list: String) async throws {
    let proxy = Pods.container("istio-proxy")
    let containers = list == "containers" ? [Pods.container("app"), proxy] : [proxy]
    let pod = try await admitting.admit(Pods.pod(spec: [list: .array(containers)])).pod
    #expect(pod.annotation(Self.inbound) == "65531")
  }

  @Test func otherPodsAreLeftAlone() async throws {
    let pod = try await admitting.admit(Pods.pod()).pod
    #expect(pod.annotation(Self.inbound) == nil && pod.annotation(Self.outbound) == nil)
    let refused = try await admitting.admit(
      Pods.pod(labels: ["sidecar.istio.io/inject": "false", "istio.io/rev": "stable"])
    ).pod
    #expect(refused.annotation(Self.inbound) == nil)
  }

  @Test(arguments: [
    ("", "65531", "6379,6380"), ("80", "80,65531", "80,6379,6380"),
    ("80, 443", "80,443,65531", "80,443,6379,6380"),
    ("6380,65531", "6380,65531", "6380,65531,6379"), ("*", "*", "*"),
    ("65531,6379,6380", "65531,6379,6380", "65531,6379,6380"),
  ])
  func whatThePodSaysAlreadyIsKept(
    present: String, inbound: String, outbound: String
  ) async throws {
    let pod = Pods.pod(
      annotations: [Self.inbound: .string(present), Self.outbound: .string(present)],
      labels: ["sidecar.istio.io/inject": "true"])
    let admitted = try await admitting.admit(pod).pod
    #expect(admitted.annotation(Self.inbound) == inbound)
    #expect(admitted.annotation(Self.outbound) == outbound)
  }

  @Test func thePortThatWasChosenIsExcluded() async throws {
    let app = Pods.container("app", ["ports": [["containerPort": 65531]]])
    let pod = try await admitting.admit(
      Pods.pod(labels: ["sidecar.istio.io/inject": "true"], spec: ["containers": [app]])
    ).pod
    #expect(pod.annotation(Self.inbound) == "65530")
  }

  @Test func nothingListensOnTheHostsNetwork() async throws {
    let pod = try await admitting.admit(
      Pods.pod(labels: ["sidecar.istio.io/inject": "true"], spec: ["hostNetwork": true])
    ).pod
    #expect(pod.annotation(Self.inbound) == nil)
    #expect(pod.annotation(Self.outbound) == "6379,6380")
  }

  /// Istio came in between the two calls: its proxy hears of the ports, nothing else changes.
  @Test func aProxyThatCameAfterUsIsTold() async throws {
    let admitting = admitting
    let app = Pods.container("app", ["ports": [["containerPort": 65531]]])
    var pod = try await admitting.admit(Pods.pod(spec: ["containers": [app]])).pod
    let containers = pod["spec"]?["containers"]?.array ?? []
    pod["spec"]?["containers"] = .array(containers + [Pods.container("istio-proxy")])
    let second = try await admitting.admit(pod)
    #expect(second.verdict.outcome == .reinvoked)
    var expected = pod
    expected["metadata"]?["annotations"]?[Self.inbound] = "65530"
    expected["metadata"]?["annotations"]?[Self.outbound] = "6379,6380"
    #expect(second.pod == expected)
    #expect(try await admitting.create(second.pod).response.patch == nil)
  }
}
