import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

@Suite struct FenceTests {
  private func admitting(
    _ fence: Fence, isGated: Bool = true, variant: String? = nil
  ) -> Admitting {
    var template = Admitting.template
    template.fence = fence
    template.isGated = isGated
    return Admitting(template, variant: variant)
  }

  private static func probe(_ token: Token, port: Int = 65531) -> JSONValue {
    [
      "httpGet": ["path": .string("/held/\(token.publicID)"), "port": .number("\(port)")],
      "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1,
      "terminationGracePeriodSeconds": 2,
    ]
  }

  @Test(arguments: Fence.allCases, [true, false])
  func onlyAGateMakesAFence(fence: Fence, isGated: Bool) async throws {
    let admitted = try await admitting(fence, isGated: isGated).admit(Pods.pod())
    let sidecar = admitted.sidecar
    #expect(sidecar.argument("--fence") == (isGated ? fence.rawValue : "none"))
    #expect((sidecar["restartPolicyRules"] != nil) == (isGated && fence == .restartAll))
    #expect(sidecar["livenessProbe"] == nil && sidecar["readinessProbe"] == nil)
    let app = admitted.pod.container("app")
    #expect((app?["livenessProbe"] != nil) == (isGated && fence == .liveness))
    #expect(app?["restartPolicyRules"] == nil)
  }

  @Test func livenessProbesAreGivenToWhoHasNone() async throws {
    let own: JSONValue = ["httpGet": ["path": "/healthz", "port": 80]]
    let spec: [String: JSONValue] = [
      "initContainers": [
        Pods.container("init"), Pods.container("mesh", ["restartPolicy": "Always"]),
      ],
      "containers": [
        Pods.container("a"), Pods.container("b", ["livenessProbe": own]), Pods.container("c"),
      ],
    ]
    let pod = Pods.pod(spec: spec)
    let admitted = try await admitting(.liveness).admit(pod)
    let probe = Self.probe(admitted.token)
    #expect(admitted.pod.container("a")?["livenessProbe"] == probe)
    #expect(admitted.pod.container("b")?["livenessProbe"] == own)
    #expect(admitted.pod.container("c")?["livenessProbe"] == probe)
    for name in ["init", "mesh"] { #expect(admitted.pod.container(name) == pod.container(name)) }
    let warnings = admitted.verdict.response.warnings
    #expect(
      warnings == [
        "container b keeps its own livenessProbe: it is not stopped when the lock is lost"
      ])
  }

  @Test func withoutAPortThereIsNoProbeAndAWarning() async throws {
    let admitted = try await admitting(.liveness).admit(Pods.pod(spec: ["hostNetwork": true]))
    #expect(admitted.pod.container("app")?["livenessProbe"] == nil)
    #expect(admitted.verdict.response.warnings.count == 1)
    #expect(admitted.verdict.response.warnings.first?.contains("hostNetwork") == true)
  }

  @Test func aSecondCallDoesNotTakeOurProbeForTheUsers() async throws {
    let admitting = admitting(.liveness)
    let first = try await admitting.admit(Pods.pod())
    let second = try await admitting.create(first.pod)
    #expect(second.response.patch == nil && second.response.warnings == [])
  }

  @Test func theProbeOfACopyFollowsTheNewLock() async throws {
    let admitting = admitting(.liveness)
    let first = try await admitting.admit(Pods.pod())
    admitting.time.advance(by: .seconds(120))
    let second = try await admitting.admit(first.pod)
    #expect(second.verdict.response.warnings == [])
    #expect(second.pod.container("app")?["livenessProbe"] == Self.probe(second.token))
  }

  /// It would end the application of the copy for ever.
  @Test(arguments: [Fence.restartAll, .none])
  func theProbeOfACopyGoesWhenTheFenceIsAnother(fence: Fence) async throws {
    let first = try await admitting(.liveness).admit(Pods.pod())
    let second = try await admitting(fence).admit(first.pod)
    #expect(second.pod.container("app") == Pods.pod().container("app"))
  }

  @Test(arguments: ["/held/", "/held/0123", "/held/0123456789abcdeg", "/heldx/0123456789abcdef"])
  func aPathThatOnlyLooksLikeOursIsTheUsers(path: String) async throws {
    let own: JSONValue = ["httpGet": ["path": .string(path), "port": 80]]
    let app = Pods.container("app", ["livenessProbe": own])
    let admitted = try await admitting(.liveness).admit(Pods.pod(spec: ["containers": [app]]))
    #expect(admitted.pod.container("app")?["livenessProbe"] == own)
    #expect(admitted.verdict.response.warnings.count == 1)
  }

  /// Two variants: the probe that the first one gave is not ours to change.
  @Test func anotherHooksProbeIsKept() async throws {
    var pod = Pods.pod()
    for (name, value) in ["exactly-one-pod": "true", "key": "k2", "expiration": "60"] {
      pod["metadata"]?["annotations"]?["blue.\(Pods.domain)/\(name)"] = .string(value)
    }
    let first = try await admitting(.liveness).admit(pod)
    let second = try await admitting(.liveness, variant: "blue").admit(first.pod)
    #expect(second.pod.container("app")?["livenessProbe"] == Self.probe(first.token))
    #expect(second.verdict.response.warnings.count == 1)
    #expect(second.sidecar.argument("--probe-address") == ":65530")
  }

  @Test(arguments: [
    (60, 0, 5), (60, 1, 7), (60, 8, 20), (15, 0, 5), (14, 0, 4), (1, 0, 0), (30, 4, 10),
  ])
  func theMarginGrowsWithTheContainersUpToAThird(
    expiration: Int, more: Int, margin: Int
  ) async throws {
    let containers = (0...more).map { Pods.container("c\($0)") }
    let admitted = try await admitting(.restartAll).admit(
      Pods.pod(expiration: "\(expiration)", spec: ["containers": .array(containers)]))
    #expect(admitted.sidecar.argument("--fence-margin-seconds") == "\(margin)")
    let isCapped = margin < 3 + 2 * (more + 1)
    let warnings = admitted.verdict.response.warnings
    #expect(warnings.contains { $0.contains("is short for") } == isCapped)
    #expect(warnings.allSatisfy { $0.utf8.count < 256 })
  }
}
