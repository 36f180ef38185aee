import AdmissionReview
import Coordination
import JSON
import Testing

@testable import PodHook

/// Both hooks and two variants of each on one Pod, in every order in which the API server may call
/// their webhooks.
@Suite struct FourHooksTests {
  private enum Hook: Int, CaseIterable {
    case one, blueOne, atLeast, blueAtLeast
  }

  /// The four webhooks, each with its own store.
  private struct Installed {
    let one: [Admitting]
    let atLeast: [PermitAdmitting]

    init(_ change: (inout SidecarTemplate) -> Void) {
      func template(port: Int) -> SidecarTemplate {
        var template = SidecarTemplate(
          image: "hook:1", probePort: port, secret: "store", storePorts: [6379])
        change(&template)
        return template
      }
      one = [nil, "blue"].map { Admitting(template(port: 65531), variant: $0) }
      atLeast = [nil, "blue"].map { PermitAdmitting(template(port: 65530), variant: $0) }
    }

    func create(_ hook: Hook, _ pod: JSONValue) async throws -> PodAdmission.Verdict {
      hook.rawValue < 2
        ? try await one[hook.rawValue].create(pod)
        : try await atLeast[hook.rawValue - 2].create(pod)
    }

    func identity(_ hook: Hook) -> HookIdentity {
      hook.rawValue < 2 ? one[hook.rawValue].identity : atLeast[hook.rawValue - 2].identity
    }

    /// Admitted once by each, and nothing but that.
    func expectOneClaimEach(_ tokens: [Hook: Token]) async throws {
      for hook in [Hook.one, .blueOne] {
        let store = one[hook.rawValue].store
        #expect(try await store.owner(Admitting.key)?.record.token == tokens[hook])
        #expect(store.calls.count { $0 == .acquire } == 1)
      }
      for hook in [Hook.atLeast, .blueAtLeast] {
        let queue = atLeast[hook.rawValue - 2].queue
        #expect(try await queue.inFlight().map(\.token) == [tokens[hook]])
        #expect(queue.calls.count { $0 == .pop } == 1)
      }
    }
  }

  static let orders: [[Int]] = (0..<4).flatMap { first in
    (0..<4).filter { $0 != first }.flatMap { second in
      let rest = (0..<4).filter { $0 != first && $0 != second }
      return [[first, second] + rest, [first, second] + rest.reversed()]
    }
  }

  private func pod(isHostNetwork: Bool = false) -> JSONValue {
    var notes: [String: JSONValue?] = [:]
    for variant in [nil, "blue"] {
      let identity = HookIdentity.exactlyOne(variant: variant)
      notes[identity.guardAnnotation] = "true"
      notes[identity.keyAnnotation] = "k"
      notes[identity.expirationAnnotation] = "60"
      let other = HookIdentity.atLeastSemaphore(variant: variant)
      notes[other.guardAnnotation] = "true"
      notes[other.keyAnnotation] = "k"
      notes[other.lengthAnnotation] = "3"
      notes[other.expirationAnnotation] = "10"
    }
    return Pods.pod(
      annotations: notes, labels: ["sidecar.istio.io/inject": "true"],
      spec: [
        "initContainers": [Pods.container("migrate")], "hostNetwork": .bool(isHostNetwork),
        "containers": [Pods.container("app"), Pods.container("log")],
      ])
  }

  /// Admits the Pod by all four, then calls all four again.
  private func admit(
    _ order: [Int], isHostNetwork: Bool = false,
    _ change: (inout SidecarTemplate) -> Void = { _ in }
  ) async throws -> (Installed, pod: JSONValue, tokens: [Hook: Token]) {
    let installed = Installed(change)
    let hooks = order.compactMap { Hook(rawValue: $0) }
    try #require(Set(hooks).count == 4)
    var pod = pod(isHostNetwork: isHostNetwork)
    var tokens: [Hook: Token] = [:]
    for hook in hooks {
      let verdict = try await installed.create(hook, pod)
      #expect(verdict.outcome == .granted)
      let admitted = try Admitted(verdict, pod, installed.identity(hook))
      (pod, tokens[hook]) = (admitted.pod, admitted.token)
    }
    for hook in hooks {
      let again = try await installed.create(hook, pod)
      #expect(again.outcome == .reinvoked && again.response.patch == nil)
    }
    try await installed.expectOneClaimEach(tokens)
    return (installed, pod, tokens)
  }

  private func sidecars(_ pod: JSONValue, _ installed: Installed) throws -> [Hook: JSONValue] {
    var sidecars: [Hook: JSONValue] = [:]
    for hook in Hook.allCases {
      let sidecar: JSONValue = try #require(
        pod.container(installed.identity(hook).containerName))
      sidecars[hook] = sidecar
    }
    return sidecars
  }

  @Test(arguments: orders)
  func nothingClashesInAnyOrder(_ order: [Int]) async throws {
    let (installed, pod, tokens) = try await admit(order)
    let names = pod.names(of: "initContainers")
    #expect(names.count == 5 && Set(names).count == 5 && names.last == "migrate")
    #expect(pod.names(of: "containers") == ["app", "log"])
    var ports: Set<Int> = []
    for (hook, sidecar) in try sidecars(pod, installed) {
      let port = try #require(sidecar["startupProbe"]?["httpGet"]?["port"]?.integer)
      #expect(sidecar.argument("--probe-address") == ":\(port)")
      ports.insert(port)
      let identity = installed.identity(hook)
      #expect(pod.label(identity.managedLabel) == "true")
      #expect(pod.label(identity.lockIDLabel) == tokens[hook]?.publicID)
      let fencingToken = pod.annotation(identity.fencingTokenAnnotation)
      #expect(fencingToken == (hook.rawValue < 2 ? "1" : nil))
      #expect(sidecar["volumeMounts"]?[0]?["name"] == .string(identity.secretVolumeName))
    }
    #expect(ports.count == 4)
    #expect(pod["metadata"]?["labels"]?.object?.members.count == 9)
    let volumes = (pod["spec"]?["volumes"]?.array ?? []).compactMap { $0["name"]?.string }
    #expect(volumes.count == 4 && Set(volumes).count == 4)
    let excluded = pod.annotation("traffic.sidecar.istio.io/excludeInboundPorts") ?? ""
    let inbound = excluded.split(separator: ",").compactMap { Int($0) }
    #expect(inbound.count == 4 && Set(inbound) == ports)
    #expect(pod.annotation("traffic.sidecar.istio.io/excludeOutboundPorts") == "6379")
  }

  @Test(arguments: orders)
  func onTheHostsNetworkTheSocketsHaveDifferentNames(_ order: [Int]) async throws {
    let (installed, pod, _) = try await admit(order, isHostNetwork: true)
    let addresses = try sidecars(pod, installed).values.compactMap {
      $0.argument("--probe-address")
    }
    #expect(addresses.count == 4 && Set(addresses).count == 4)
    #expect(addresses.allSatisfy { $0.hasPrefix("unix:@") })
    #expect(pod.annotation("traffic.sidecar.istio.io/excludeInboundPorts") == nil)
  }

  /// A container has one liveness probe: the first hook's, which stays as it is.
  @Test(arguments: orders)
  func withLivenessTheFirstFencesAndStays(_ order: [Int]) async throws {
    let (installed, pod, tokens) = try await admit(order) { $0.fence = .liveness }
    let first = try #require(Hook(rawValue: order[0]))
    let sidecar = try #require(pod.container(installed.identity(first).containerName))
    for place in 0..<2 {
      let probe = pod["spec"]?["containers"]?[place]?["livenessProbe"]?["httpGet"]
      #expect(probe?["path"]?.string == tokens[first].map { "/held/\($0.publicID)" })
      #expect(probe?["port"] == sidecar["startupProbe"]?["httpGet"]?["port"])
    }
  }

  @Test(arguments: orders)
  func ungatedAllAreOrdinaryContainers(_ order: [Int]) async throws {
    let (_, pod, _) = try await admit(order) { $0.isGated = false }
    let names = pod.names(of: "containers")
    #expect(names.count == 6 && Set(names).count == 6 && names.prefix(2) == ["app", "log"])
    #expect(pod.names(of: "initContainers") == ["migrate"])
  }
}
