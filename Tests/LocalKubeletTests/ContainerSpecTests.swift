import JSON
import Testing

@testable import LocalKubelet

@Suite struct ContainerSpecTests {
  private func sidecar(_ address: [JSONValue], port: Int = 65531) -> JSONValue {
    [
      "name": "hook", "restartPolicy": "Always",
      "args": .array(["sidecar", "ns/key", "token"] + address),
      "env": [
        ["name": "POD_UID", "valueFrom": ["fieldRef": ["fieldPath": "metadata.uid"]]],
        ["name": "PLAIN", "value": "x"],
      ],
      "startupProbe": ["httpGet": ["path": "/startupz/1", "port": .number(String(port))]],
      "restartPolicyRules": [
        [
          "action": "RestartAllContainers",
          "exitCodes": ["operator": "In", "values": [42]],
        ]
      ],
    ]
  }

  @Test func aHookSidecarIsToldByItsArguments() {
    let spec = ContainerSpec(sidecar([]), isInit: true, fields: ["metadata.uid": "u-1"])
    #expect(spec.isHookSidecar && spec.isGate)
    #expect(spec.environment == ["POD_UID": "u-1", "PLAIN": "x"])
    #expect(spec.restartAllCodes == [42])
    #expect(!ContainerSpec(sidecar([]), isInit: false, fields: [:]).isGate)
  }

  @Test(arguments: [
    ["--probe-address", "0.0.0.0:65531", "--fence", "none"],
    ["--probe-address=0.0.0.0:65531", "--fence", "none"],
  ])
  func theProbeAddressAndTheProbeMoveTogether(_ arguments: [String]) throws {
    var spec = ContainerSpec(
      sidecar(arguments.map { .string($0) }), isInit: true, fields: [:])
    let move = try #require(try spec.moveProbe())
    #expect(move.from == 65531)
    #expect(
      spec.arguments == [
        "sidecar", "ns/key", "token", "--probe-address", "127.0.0.1:\(move.to)", "--fence", "none",
      ])
    #expect(spec.startupProbe == .http(path: "/startupz/1", port: move.to))
  }

  @Test func aUnixSocketStaysWhereItIs() throws {
    var spec = ContainerSpec(
      sidecar(["--probe-address", "unix:@hook"]), isInit: true, fields: [:])
    let before = spec.arguments
    #expect(try spec.moveProbe() == nil)
    #expect(spec.arguments == before)
  }

  @Test(arguments: [
    ("$(NAME)", "value"), ("a$$b", "a$b"), ("$$(NAME)", "$(NAME)"), ("$(OTHER)", "$(OTHER)"),
    ("$", "$"), ("$(NAME", "$(NAME"), ("x$(NAME)y$(NAME)", "xvalueyvalue"),
  ])
  func variablesAreExpandedAsTheKubeletDoes(_ text: String, _ expanded: String) {
    #expect(ContainerSpec.expand(text, ["NAME": "value"]) == expanded)
  }
}
