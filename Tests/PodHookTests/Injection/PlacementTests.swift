import Coordination
import JSON
import PodHook
import Testing

@Suite struct PlacementTests {
  private func admit(
    _ spec: [String: JSONValue] = [:], variant: String? = nil,
    _ change: (inout SidecarTemplate) -> Void = { _ in }
  ) async throws -> Admitted {
    var template = Admitting.template
    change(&template)
    return try await Admitting(template, variant: variant).admit(
      Pods.pod(spec: spec, variant: variant))
  }

  private static let inits: [String: JSONValue] = [
    "initContainers": [Pods.container("a"), Pods.container("b")]
  ]

  @Test(arguments: [SidecarTemplate.Position.first, .last])
  func amongTheInitContainers(position: SidecarTemplate.Position) async throws {
    let pod = try await admit(Self.inits) { $0.position = position }.pod
    let own = ["exactly-one-pod-sidecar"]
    #expect(
      pod.names(of: "initContainers")
        == (position == .first ? own + ["a", "b"] : ["a", "b"] + own))
    #expect(pod.names(of: "containers") == ["app"])
  }

  @Test(
    arguments: [
      [:], ["initContainers": []], ["initContainers": .null],
    ] as [[String: JSONValue]])
  func withoutInitContainers(spec: [String: JSONValue]) async throws {
    for position in SidecarTemplate.Position.allCases {
      let pod = try await admit(spec) { $0.position = position }.pod
      #expect(pod.names(of: "initContainers") == ["exactly-one-pod-sidecar"])
    }
  }

  /// An ordinary container has neither gate nor fence.
  @Test func ungatedItIsAnOrdinaryContainer() async throws {
    let admitted = try await admit(Self.inits) { $0.isGated = false }
    #expect(admitted.pod.names(of: "initContainers") == ["a", "b"])
    #expect(admitted.pod.names(of: "containers") == ["app", "exactly-one-pod-sidecar"])
    let sidecar = admitted.sidecar
    for field in ["restartPolicy", "restartPolicyRules", "startupProbe"] {
      #expect(sidecar[field] == nil)
    }
    #expect(sidecar["args"]?.array?.contains("--ungated") == true)
  }

  @Test func aCopyOfAnUngatedPodBecomesAGatedOne() async throws {
    let ungated = try await admit { $0.isGated = false }
    let gated = try await Admitting().admit(ungated.pod)
    #expect(gated.pod.names(of: "containers") == ["app"])
    #expect(gated.pod.names(of: "initContainers") == ["exactly-one-pod-sidecar"])
    #expect(gated.sidecar["args"]?.array?.contains("--ungated") == false)
  }

  @Test func aVariantIsInEveryName() async throws {
    let admitted = try await admit(variant: "blue") { $0.secret = "store" }
    let pod = admitted.pod
    #expect(pod.names(of: "initContainers") == ["exactly-one-pod-sidecar-blue"])
    #expect(pod.label("blue.\(Pods.domain)/managed") == "true")
    #expect(pod.label("blue.\(Pods.domain)/lock-id") == admitted.token.publicID)
    #expect(pod.annotation("blue.\(Pods.domain)/fencing-token") == "1")
    #expect(pod.label("\(Pods.domain)/managed") == nil)
    #expect(pod["spec"]?["volumes"]?[0]?["name"] == "exactly-one-pod-sidecar-blue-secret")
    #expect(admitted.sidecar.argument("--variant") == "blue")
  }

  @Test func theTemplateIsFollowed() async throws {
    let sidecar = try await admit {
      $0.imagePullPolicy = "Never"
      $0.storeArguments = ["--lock-mode", "redlock", "--key-prefix=$x"]
    }.sidecar
    #expect(sidecar["imagePullPolicy"] == "Never")
    #expect(sidecar.argument("--lock-mode") == "redlock")
    #expect(sidecar["args"]?.array?.contains("--key-prefix=$$x") == true)
    let plain = try await admit().sidecar
    #expect(plain["imagePullPolicy"] == nil && plain["volumeMounts"] == nil)
    #expect(plain.argument("--release-delay-seconds") == nil)
    #expect(plain.argument("--variant") == nil)
  }

  @Test(
    arguments: [
      (nil, "30"), (0, "0"), (600, "600"), (-5, "0"), (99_999_999_999, "31536000"),
    ] as [(JSONValue?, String)])
  func theGracePeriodIsThePods(seconds: JSONValue?, argument: String) async throws {
    let spec = seconds.map { ["terminationGracePeriodSeconds": $0] } ?? [:]
    let sidecar = try await admit(spec).sidecar
    #expect(sidecar.argument("--termination-grace-period-seconds") == argument)
  }
}

@Suite struct SecretVolumeTests {
  private static let ours: JSONValue = [
    "name": "exactly-one-pod-sidecar-secret", "secret": ["secretName": "store"],
  ]
  private static let data: JSONValue = ["name": "data", "emptyDir": [:]]

  private func volumes(_ present: JSONValue?) async throws -> [JSONValue]? {
    var template = Admitting.template
    template.secret = "store"
    template.secretArguments = ["--redis-credentials-directory", "/var/run/secrets/hippocampus"]
    let admitted = try await Admitting(template).admit(
      Pods.pod(spec: present.map { ["volumes": $0] } ?? [:]))
    #expect(
      admitted.sidecar["volumeMounts"] == [
        [
          "name": "exactly-one-pod-sidecar-secret", "readOnly": true,
          "mountPath": "/var/run/secrets/hippocampus",
        ]
      ])
    #expect(
      admitted.sidecar.argument("--redis-credentials-directory") == "/var/run/secrets/hippocampus")
    return admitted.pod["spec"]?["volumes"]?.array
  }

  @Test(arguments: [nil, [], .null] as [JSONValue?])
  func isTheOnlyVolume(present: JSONValue?) async throws {
    #expect(try await volumes(present) == [Self.ours])
  }

  @Test func comesAfterTheOthers() async throws {
    #expect(try await volumes([Self.data]) == [Self.data, Self.ours])
  }

  @Test func isNotAddedTwice() async throws {
    #expect(try await volumes([Self.ours, Self.data]) == [Self.ours, Self.data])
  }

  /// From a manifest that was copied when the Secret had another name.
  @Test func isPutRightInACopy() async throws {
    var other = Self.ours
    other["secret"] = ["secretName": "old"]
    #expect(try await volumes([Self.data, other]) == [Self.data, Self.ours])
  }
}
