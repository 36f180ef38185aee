import JSON

/// The parts of a Pod that injection looks at, read in place from the API server's JSON.
struct PodManifest {
  struct Container {
    enum List: String {
      case containers
      case initContainers
    }

    let list: List
    let index: Int
    let node: JSONNode
    let name: String
  }

  let root: JSONNode
  let metadata: JSONNode?
  let spec: JSONNode?
  let labels: JSONNode?
  let annotations: JSONNode?
  /// Init containers first, each list in order.
  let containers: [Container]
  let isHostNetwork: Bool

  init(_ pod: JSONNode) throws(JSONError) {
    root = pod
    metadata = try pod.field("metadata")
    spec = try pod.field("spec")
    labels = try metadata?.field("labels")
    annotations = try metadata?.field("annotations")
    isHostNetwork = try spec?.field("hostNetwork")?.bool ?? false
    var containers: [Container] = []
    for list in [Container.List.initContainers, .containers] {
      for (index, node) in (try spec?.field(list.rawValue)?.elements ?? []).enumerated() {
        let name = try node.field("name")?.string ?? ""
        containers.append(Container(list: list, index: index, node: node, name: name))
      }
    }
    self.containers = containers
  }

  func hasList(_ list: Container.List) throws(JSONError) -> Bool {
    try spec?.field(list.rawValue)?.isArray ?? false
  }

  /// The name, or its start if the API server will generate the rest.
  func name() throws(JSONError) -> (text: String, isGenerated: Bool) {
    if let name = try metadata?.field("name")?.string, !name.isEmpty { return (name, false) }
    return (try metadata?.field("generateName")?.string ?? "", true)
  }

  /// The controlling owner as `Kind/name`.
  func owner() throws(JSONError) -> String? {
    for reference in try metadata?.field("ownerReferences")?.elements ?? []
    where try reference.field("controller")?.bool == true {
      let kind = try reference.field("kind")?.string ?? ""
      return "\(kind)/\(try reference.field("name")?.string ?? "")"
    }
    return nil
  }

  /// Whether Istio's proxy is or will be in this Pod, as far as the Pod itself tells.
  func isInIstioMesh() throws(JSONError) -> Bool {
    for place in [labels, annotations] {
      switch try place?.field("sidecar.istio.io/inject")?.string {
      case "true": return true
      case "false": return false
      default: break
      }
    }
    if try labels?.field("istio.io/rev") != nil { return true }
    if try annotations?.field("sidecar.istio.io/status") != nil { return true }
    return containers.contains { $0.name == "istio-proxy" }
  }

  /// The numeric ports that a container declares, probes or, as a sidecar of this family, serves.
  /// - Parameter probes: which probes count; nil: all.
  static func ports(
    of container: JSONNode, probes: [String]? = nil
  ) throws(JSONError) -> Set<Int> {
    var ports: Set<Int> = []
    for port in try container.field("ports")?.elements ?? [] {
      if let number = try port.field("containerPort")?.integer { ports.insert(number) }
    }
    for probe in probes ?? ["startupProbe", "livenessProbe", "readinessProbe"] {
      for action in ["httpGet", "tcpSocket", "grpc"] {
        if let number = try container.field(probe, action, "port")?.integer {
          ports.insert(number)
        }
      }
    }
    let arguments = try container.field("args")?.elements.compactMap(\.string) ?? []
    for (flag, value) in zip(arguments, arguments.dropFirst()) where flag == "--probe-address" {
      if let number = value.split(separator: ":").last.flatMap({ Int($0) }) {
        ports.insert(number)
      }
    }
    return ports
  }
}
