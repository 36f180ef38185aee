import JSON

/// Whether Kubernetes would put a Pod into the Guaranteed class
/// (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/).
enum QualityOfService {
  /// - Parameter containers: those of the Pod that count.
  static func isGuaranteed(
    _ pod: PodManifest, _ containers: [PodManifest.Container]
  ) throws(JSONError) -> Bool {
    // Requests and limits of the Pod as a whole decide where they are given.
    if let resources = try pod.spec?.field("resources") {
      let hasLimits = try resources.field("limits") != nil
      let hasRequests = try resources.field("requests") != nil
      if hasLimits || hasRequests { return try isGuaranteed(resources) }
    }
    guard !containers.isEmpty else { return false }
    for container in containers {
      guard let resources = try container.node.field("resources"), try isGuaranteed(resources)
      else { return false }
    }
    return true
  }

  /// Limits for CPU and memory, and requests that are equal or left to default to them.
  private static func isGuaranteed(_ resources: JSONNode) throws(JSONError) -> Bool {
    for resource in ["cpu", "memory"] {
      guard let limit = try resources.field("limits", resource) else { return false }
      if let request = try resources.field("requests", resource), text(request) != text(limit) {
        return false
      }
    }
    return true
  }

  /// Quantities may be written as numbers. Equal amounts in different notations (`1` and `1000m`)
  /// are normalised by the API server before admission.
  private static func text(_ quantity: JSONNode) -> String? {
    quantity.string ?? quantity.number
  }
}
