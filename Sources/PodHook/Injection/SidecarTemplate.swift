package import Logging

/// How the injected container looks, apart from the Pod that it goes into.
package struct SidecarTemplate: Sendable {
  package enum Position: String, CaseIterable, Sendable {
    /// In front of the init containers that are there: they wait for the lock as well.
    case first
    /// Behind them: they run before the lock is held.
    case last
  }

  package var image: String
  /// `Always`, `IfNotPresent`, `Never`, or nil for the cluster's default.
  package var imagePullPolicy: String?
  /// Whether the container is an init container with `restartPolicy: Always` (a native sidecar):
  /// then nothing else starts before it has proved the lock. Otherwise it is an ordinary container,
  /// with neither gate nor fence.
  package var isGated: Bool
  package var position: Position
  package var fence: Fence
  package var probePort: Int
  package var cpuRequest: String
  package var cpuLimit: String?
  package var memoryRequest: String
  package var memoryLimit: String
  /// A Secret in the Pod's namespace with the store's credentials.
  package var secret: String?
  /// Whether the store asks for credentials or certificates, which only a Secret can bring.
  package var needsSecret = false
  /// What the sidecar needs to reach the store: options of its command line, no secrets.
  package var storeArguments: [String]
  /// What it needs in addition to find the Secret.
  package var secretArguments: [String] = []
  /// The ports of the store's members, which go around Istio's proxy.
  package var storePorts: [Int]

  package init(
    image: String, imagePullPolicy: String? = nil, isGated: Bool = true,
    position: Position = .first, fence: Fence = .restartAll, probePort: Int,
    cpuRequest: String = "10m", cpuLimit: String? = nil, memoryRequest: String = "32Mi",
    memoryLimit: String = "32Mi", secret: String? = nil, storeArguments: [String] = [],
    storePorts: [Int] = []
  ) {
    self.image = image
    self.imagePullPolicy = imagePullPolicy
    self.isGated = isGated
    self.position = position
    self.fence = fence
    self.probePort = probePort
    self.cpuRequest = cpuRequest
    self.cpuLimit = cpuLimit
    self.memoryRequest = memoryRequest
    self.memoryLimit = memoryLimit
    self.secret = secret
    self.storeArguments = storeArguments
    self.storePorts = storePorts
  }

  /// Says at start what the injected sidecars will not do.
  package func warn(_ logger: Logger) {
    if needsSecret, secret == nil {
      logger.warning(
        "the store needs credentials or certificates that no sidecar gets: set --sidecar-secret")
    }
    if !isGated {
      logger.warning(
        "sidecars are ordinary containers: no gate, no fence, applications run without their lock")
    } else if fence == .none {
      logger.warning("there is no fence: nothing stops an application whose lock is lost")
    }
  }

  /// Where the Secret is mounted in the sidecar.
  static let secretPath = "/var/run/secrets/hippocampus"
}
