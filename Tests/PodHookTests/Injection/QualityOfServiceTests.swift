import JSON
import PodHook
import Testing

/// The sidecar must not take a Pod out of the Guaranteed class.
@Suite struct QualityOfServiceTests {
  private static let guaranteed: JSONValue = [
    "limits": ["cpu": "1", "memory": "1Gi"], "requests": ["cpu": "1", "memory": "1Gi"],
  ]

  private func resources(
    _ spec: [String: JSONValue], _ change: (inout SidecarTemplate) -> Void = { _ in }
  ) async throws -> JSONValue? {
    var template = Admitting.template
    change(&template)
    return try await Admitting(template).admit(Pods.pod(spec: spec)).sidecar["resources"]
  }

  private func spec(_ resources: JSONValue?...) -> [String: JSONValue] {
    let containers = resources.enumerated().map { index, resources in
      Pods.container("c\(index)", resources.map { ["resources": $0] } ?? [:])
    }
    return ["containers": .array(containers)]
  }

  private static let limited: JSONValue = [
    "requests": ["cpu": "10m", "memory": "32Mi"], "limits": ["cpu": "10m", "memory": "32Mi"],
  ]
  private static let ordinary: JSONValue = [
    "requests": ["cpu": "10m", "memory": "32Mi"], "limits": ["memory": "32Mi"],
  ]

  @Test func guaranteedStaysGuaranteed() async throws {
    #expect(try await resources(spec(Self.guaranteed, Self.guaranteed)) == Self.limited)
  }

  @Test func requestsMayBeLeftToDefaultToTheLimits() async throws {
    let limits: JSONValue = ["limits": ["cpu": 2, "memory": "1Gi"]]
    #expect(try await resources(spec(limits)) == Self.limited)
  }

  @Test(
    arguments: [
      nil, [:], ["limits": ["cpu": "1", "memory": "1Gi"], "requests": ["cpu": "500m"]],
      ["limits": ["memory": "1Gi"]], ["requests": ["cpu": "1", "memory": "1Gi"]],
      ["limits": ["cpu": "1"], "requests": ["cpu": "1"]],
    ] as [JSONValue?])
  func otherPodsGetWhatIsConfigured(resources given: JSONValue?) async throws {
    #expect(try await resources(spec(given)) == Self.ordinary)
    #expect(try await resources(spec(Self.guaranteed, given)) == Self.ordinary)
  }

  @Test func initContainersCount() async throws {
    var spec = spec(Self.guaranteed)
    spec["initContainers"] = [Pods.container("init")]
    #expect(try await resources(spec) == Self.ordinary)
    spec["initContainers"] = [Pods.container("init", ["resources": Self.guaranteed])]
    #expect(try await resources(spec) == Self.limited)
  }

  @Test func resourcesOfThePodAsAWholeDecide() async throws {
    var spec = spec(nil)
    spec["resources"] = Self.guaranteed
    #expect(try await resources(spec) == Self.limited)
    var other = self.spec(Self.guaranteed)
    other["resources"] = ["requests": ["cpu": "3", "memory": "3Gi"]]
    #expect(try await resources(other) == Self.ordinary)
  }

  @Test func differentRequestsAndLimitsAreMadeEqual() async throws {
    let found = try await resources(spec(Self.guaranteed)) {
      $0.cpuRequest = "5m"
      $0.cpuLimit = "50m"
      $0.memoryRequest = "16Mi"
      $0.memoryLimit = "64Mi"
    }
    #expect(found?["requests"] == ["cpu": "50m", "memory": "64Mi"])
    #expect(found?["limits"] == found?["requests"])
  }

  @Test func whatIsConfiguredIsUsedElsewhere() async throws {
    let found = try await resources(spec(nil)) {
      $0.cpuRequest = "5m"
      $0.cpuLimit = "50m"
      $0.memoryRequest = "16Mi"
      $0.memoryLimit = "64Mi"
    }
    #expect(found?["requests"] == ["cpu": "5m", "memory": "16Mi"])
    #expect(found?["limits"] == ["cpu": "50m", "memory": "64Mi"])
  }

  /// What counts is the Pod without us: a stale sidecar in a copied manifest says nothing.
  @Test(arguments: ["initContainers", "containers"])
  func aStaleSidecarDoesNotCount(list: String) async throws {
    var spec = spec(Self.guaranteed)
    let others = list == "containers" ? spec["containers"]?.array ?? [] : []
    spec[list] = .array(others + [Pods.container("exactly-one-pod-sidecar")])
    #expect(try await resources(spec) == Self.limited)
  }
}
