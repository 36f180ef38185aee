package import ArgumentParser
package import ServiceKit

/// The options of `webhook` that say how the injected sidecar looks.
package struct InjectionOptions: ParsableArguments {
  @Option(help: "auto, restart-all, liveness or none (default: auto).")
  package var fence: String?

  @Option(help: "The image of the sidecar.")
  package var sidecarImage: String?

  @Option(help: "Always, IfNotPresent or Never (default: the cluster's).")
  package var sidecarImagePullPolicy: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Inject a native sidecar, behind which everything waits (default: yes).")
  package var enableSidecarContainers: Bool?

  @Option(help: "first or last among the init containers (default: first).")
  package var sidecarPosition: String?

  @Option(help: "The sidecar's port for probes; the next lower one if it is used.")
  package var sidecarProbePort: String?

  @Option(help: "(default: 10m)")
  package var sidecarCPURequest: String?

  @Option(help: "(default: none)")
  package var sidecarCPULimit: String?

  @Option(help: "(default: 32Mi)")
  package var sidecarMemoryRequest: String?

  @Option(help: "(default: 32Mi)")
  package var sidecarMemoryLimit: String?

  @Option(help: "A Secret in the Pod's namespace with the store's credentials.")
  package var sidecarSecret: String?

  package init() {}

  private enum FenceChoice: String, CaseIterable {
    case auto
    case restartAll = "restart-all"
    case liveness
    case none

    /// Without a look at the API server's version, the fence that protects.
    var fence: Fence {
      switch self {
      case .auto, .restartAll: .restartAll
      case .liveness: .liveness
      case .none: .none
      }
    }
  }

  private enum PullPolicy: String, CaseIterable {
    case always = "Always"
    case ifNotPresent = "IfNotPresent"
    case never = "Never"
  }

  /// - Parameters:
  ///   - image: the default image.
  ///   - probePort: the default port.
  ///   - access: how the sidecars reach the stores.
  package func resolve(
    _ reader: inout OptionReader, image: String, probePort: Int, access: SidecarAccess
  ) -> SidecarTemplate {
    var template = SidecarTemplate(
      image: reader.value(
        "sidecar-image", flag: sidecarImage, default: image, allowed: "the name of an image"
      ) { $0.isEmpty || $0.contains(where: \.isWhitespace) ? nil : $0 },
      probePort: reader.integer(
        "sidecar-probe-port", flag: sidecarProbePort, default: probePort, in: 1...65535))
    template.fence = reader.choice("fence", flag: fence, default: FenceChoice.auto).fence
    template.imagePullPolicy = pullPolicy(&reader)
    template.isGated = reader.bool(
      "enable-sidecar-containers", flag: enableSidecarContainers, default: true)
    template.position = reader.choice("sidecar-position", flag: sidecarPosition, default: .first)
    template.cpuRequest =
      quantity("sidecar-cpu-request", sidecarCPURequest, &reader) ?? template.cpuRequest
    template.cpuLimit = quantity("sidecar-cpu-limit", sidecarCPULimit, &reader)
    template.memoryRequest =
      quantity("sidecar-memory-request", sidecarMemoryRequest, &reader) ?? template.memoryRequest
    template.memoryLimit =
      quantity("sidecar-memory-limit", sidecarMemoryLimit, &reader) ?? template.memoryLimit
    if let request = Self.amount(template.memoryRequest),
      let limit = Self.amount(template.memoryLimit), request > limit
    {
      reader.reject(
        "sidecar-memory-request", value: template.memoryRequest,
        allowed: "at most --sidecar-memory-limit, \(template.memoryLimit)")
    }
    if let cpuLimit = template.cpuLimit, let request = Self.amount(template.cpuRequest),
      let limit = Self.amount(cpuLimit), request > limit
    {
      reader.reject(
        "sidecar-cpu-request", value: template.cpuRequest,
        allowed: "at most --sidecar-cpu-limit, \(cpuLimit)")
    }
    template.secret = reader.value(
      "sidecar-secret", flag: sidecarSecret, allowed: "the name of a Secret"
    ) { Self.isName($0) ? $0 : nil }
    template.needsSecret = access.needsSecret
    template.storeArguments = access.arguments
    template.secretArguments = access.secretArguments
    template.storePorts = access.ports.sorted()
    return template
  }

  /// The number behind a quantity that was read.
  private static func amount(_ quantity: String) -> Double? {
    let factors = [
      "": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1024, "Mi": 1_048_576,
      "Gi": 1_073_741_824,
    ]
    let number = quantity.prefix { !$0.isLetter }
    guard let value = Double(number), let factor = factors[String(quantity.dropFirst(number.count))]
    else { return nil }
    return value * factor
  }

  private func pullPolicy(_ reader: inout OptionReader) -> String? {
    reader.value(
      "sidecar-image-pull-policy", flag: sidecarImagePullPolicy,
      allowed: PullPolicy.allCases.map(\.rawValue).joined(separator: ", ")
    ) { PullPolicy(rawValue: $0)?.rawValue }
  }

  /// A resource quantity as Kubernetes writes them: digits, perhaps a fraction, perhaps a suffix.
  private func quantity(
    _ name: String, _ flag: String?, _ reader: inout OptionReader
  ) -> String? {
    reader.value(name, flag: flag, allowed: "a resource quantity such as 10m or 32Mi") { text in
      text.wholeMatch(of: #/[0-9]+(\.[0-9]+)?(m|k|M|G|Ki|Mi|Gi)?/#) == nil ? nil : text
    }
  }

  /// A DNS subdomain (RFC 1123), as Kubernetes wants for names.
  private static func isName(_ text: String) -> Bool {
    text.utf8.count <= 253
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
        $0.wholeMatch(of: #/[a-z0-9]([-a-z0-9]*[a-z0-9])?/#) != nil
      }
  }
}
