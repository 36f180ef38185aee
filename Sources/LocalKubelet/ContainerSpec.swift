import JSON

/// What a kubelet needs to know of a container.
struct ContainerSpec: Sendable {
  let name: String
  let command: [String]
  var arguments: [String]
  /// References to the Pod's own fields are resolved.
  let environment: [String: String]
  let isInit: Bool
  /// An init container with `restartPolicy: Always`: a native sidecar.
  let isNativeSidecar: Bool
  var startupProbe: Probe?
  /// Kept only if it asks a hook's sidecar: applications here have no ports.
  var livenessProbe: Probe?
  /// Exit codes on which all containers of the Pod start again (`RestartAllContainers`).
  let restartAllCodes: Set<Int32>

  /// Whether this is the hook's sidecar, which runs as a real process; told by its arguments, as
  /// its name depends on the variant.
  var isHookSidecar: Bool { arguments.first == "sidecar" }

  /// Whose sidecar it is.
  var hook: HookProgram { HookProgram(naming: name) ?? .exactlyOne }

  /// Whether other containers wait for its startup probe.
  var isGate: Bool { isHookSidecar && isNativeSidecar }

  init(_ container: JSONValue, isInit: Bool, fields: [String: String]) {
    name = container["name"]?.string ?? ""
    let environment = Self.environment(container, fields)
    self.environment = environment
    command = (container["command"]?.array ?? []).compactMap(\.string).map {
      Self.expand($0, environment)
    }
    arguments = (container["args"]?.array ?? []).compactMap(\.string).map {
      Self.expand($0, environment)
    }
    self.isInit = isInit
    isNativeSidecar = isInit && container["restartPolicy"]?.string == "Always"
    startupProbe = container["startupProbe"].flatMap(Probe.init)
    livenessProbe = container["livenessProbe"].flatMap(Probe.init)
    restartAllCodes = Self.restartAllCodes(container)
  }

  private static func environment(
    _ container: JSONValue, _ fields: [String: String]
  ) -> [String: String] {
    var environment: [String: String] = [:]
    for variable in container["env"]?.array ?? [] {
      guard let name = variable["name"]?.string else { continue }
      if let path = variable["valueFrom"]?["fieldRef"]?["fieldPath"]?.string {
        environment[name] = fields[path]
      } else {
        environment[name] = variable["value"]?.string ?? ""
      }
    }
    return environment
  }

  private static func restartAllCodes(_ container: JSONValue) -> Set<Int32> {
    var codes: Set<Int32> = []
    for rule in container["restartPolicyRules"]?.array ?? []
    where rule["action"]?.string == "RestartAllContainers"
      && rule["exitCodes"]?["operator"]?.string == "In"
    {
      for value in rule["exitCodes"]?["values"]?.array ?? [] {
        if let code = value.integer { codes.insert(Int32(truncatingIfNeeded: code)) }
      }
    }
    return codes
  }
}

extension ContainerSpec {
  /// The containers of a Pod in the order in which they start; `fields` holds the values of
  /// `fieldRef` paths.
  static func all(in pod: JSONValue, fields: [String: String]) -> [ContainerSpec] {
    let spec = pod["spec"]
    return (spec?["initContainers"]?.array ?? []).map {
      ContainerSpec($0, isInit: true, fields: fields)
    }
      + (spec?["containers"]?.array ?? []).map {
        ContainerSpec($0, isInit: false, fields: fields)
      }
  }
}
