/// What an injected sidecar needs to reach the stores that the webhook uses.
package struct SidecarAccess: Sendable {
  /// Options of its command line, no secrets.
  var arguments: [String] = []
  /// Options that are added if a Secret is mounted.
  var secretArguments: [String] = []
  /// Whether the stores ask for credentials or certificates, which only a Secret can bring.
  var needsSecret = false
  /// The ports of the stores' members, which go around Istio's proxy.
  var ports: Set<Int> = []

  package static func + (left: SidecarAccess, right: SidecarAccess) -> SidecarAccess {
    var sum = left
    sum.arguments += right.arguments
    // Options with their values: for one kind of store they are the same.
    if left.secretArguments != right.secretArguments {
      sum.secretArguments += right.secretArguments
    }
    sum.needsSecret = left.needsSecret || right.needsSecret
    sum.ports.formUnion(right.ports)
    return sum
  }
}
