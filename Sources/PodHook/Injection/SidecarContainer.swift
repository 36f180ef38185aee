import Coordination
import JSON

/// The container that goes into one Pod.
struct SidecarContainer {
  let identity: HookIdentity
  let template: SidecarTemplate
  let key: NamespacedKey
  let token: Token
  /// The token's public id.
  let lockID: String
  /// What the sidecar must be told of the Pod's annotations.
  let terms: [String]
  /// Nil for a Pod on the host's network: there nothing listens on TCP.
  let port: Int?
  let isGuaranteed: Bool
  let gracePeriod: Int

  /// All addresses of the Pod, IPv6 too: the kubelet uses the Pod's first one.
  var probeAddress: String { port.map { ":\($0)" } ?? "unix:@\(socketName)" }
  private var socketName: String { "\(identity.containerName)-\(lockID)" }

  func write(to writer: inout JSONWriter) {
    writer.object { container in
      container.field("name", identity.containerName)
      container.field("image", template.image)
      if let policy = template.imagePullPolicy { container.field("imagePullPolicy", policy) }
      container.array("args") { list in
        for argument in arguments { list.string(Self.literal(argument)) }
      }
      container.key("env")
      container.raw(Self.environment)
      container.object("resources") { writeResources(to: &$0) }
      if template.isGated {
        container.field("restartPolicy", "Always")
        if template.fence == .restartAll {
          container.key("restartPolicyRules")
          container.raw(Self.restartPolicyRules)
        }
        container.object("startupProbe") { probe in
          writeProbe("/startupz", to: &probe)
          probe.field("periodSeconds", 1)
          probe.field("timeoutSeconds", 1)
          probe.field("failureThreshold", 2_147_483_647)
        }
      }
      container.key("securityContext")
      container.raw(Self.securityContext)
      if template.secret != nil {
        container.array("volumeMounts") { list in
          list.object { mount in
            mount.field("name", identity.secretVolumeName)
            mount.field("mountPath", SidecarTemplate.secretPath)
            mount.field("readOnly", true)
          }
        }
      }
    }
  }

  /// The liveness probe that takes an application container down when the lock is lost.
  func writeFenceProbe(to writer: inout JSONWriter) {
    writer.object { probe in
      writeProbe("/held", to: &probe)
      probe.field("periodSeconds", 1)
      probe.field("timeoutSeconds", 1)
      probe.field("failureThreshold", 1)
      probe.field("terminationGracePeriodSeconds", 2)
    }
  }

  private var arguments: [String] {
    var list = ["sidecar", key.description, token.text] + terms
    list += [
      "--fence", template.isGated ? template.fence.rawValue : Fence.none.rawValue,
      "--termination-grace-period-seconds", String(gracePeriod),
      "--probe-address", probeAddress,
    ]
    if !template.isGated { list.append("--ungated") }
    if let variant = identity.variant { list += ["--variant", variant] }
    list += template.storeArguments
    if template.secret != nil { list += template.secretArguments }
    return list
  }

  /// The kubelet replaces `$(NAME)` in arguments, and `$$` by `$`: a key must arrive as written.
  private static func literal(_ argument: String) -> String {
    guard argument.utf8.contains(UInt8(ascii: "$")) else { return argument }
    // By scalars: a dollar that belongs to a larger character is one to the kubelet too.
    var text = ""
    for scalar in argument.unicodeScalars {
      text.unicodeScalars.append(scalar)
      if scalar == "$" { text.unicodeScalars.append(scalar) }
    }
    return text
  }

  /// In a Guaranteed Pod limits equal requests for both resources, so that it stays one.
  private func writeResources(to resources: inout JSONWriter) {
    let cpuLimit = template.cpuLimit ?? (isGuaranteed ? template.cpuRequest : nil)
    resources.object("requests") { requests in
      requests.field("cpu", isGuaranteed ? cpuLimit ?? template.cpuRequest : template.cpuRequest)
      requests.field("memory", isGuaranteed ? template.memoryLimit : template.memoryRequest)
    }
    resources.object("limits") { limits in
      if let cpuLimit { limits.field("cpu", cpuLimit) }
      limits.field("memory", template.memoryLimit)
    }
  }

  private func writeProbe(_ path: String, to probe: inout JSONWriter) {
    let path = "\(path)/\(lockID)"
    if let port {
      probe.object("httpGet") { get in
        get.field("path", path)
        get.field("port", port)
      }
    } else {
      probe.object("exec") { exec in
        exec.array("command") { list in
          for word in [
            identity.executable, "sidecar", "check", "--probe-address", probeAddress,
            "--path", path,
          ] { list.string(word) }
        }
      }
    }
  }
}
