import AsyncHTTPClient
package import JSON
package import LocalServers
import NIOCore
import NIOSSL

/// A stand-in for API server, controllers and kubelets, just large enough to run Pods that the
/// hook guards: it asks the real webhook, applies its patch and starts the real sidecar.
package final class LocalKubelet: Sendable {
  package struct Settings: Sendable {
    /// What happens to application containers.
    package enum Applications: Sendable {
      /// Their start and end are only recorded.
      case record
      /// Their `command` runs as a process of this machine.
      case run
    }

    /// The path of `exactly-one-pod-hook`, which sidecars run.
    package var executable: String
    package var applications = Applications.record
    /// Between two startup probes. Kubernetes: one second at least.
    package var probePeriod = Duration.milliseconds(25)
    /// Before a container starts again. Kubernetes: from 10 s to 5 min, doubling.
    package var restartBackoff = Duration.milliseconds(100)
    /// The longest pause before a refused Pod is tried again; the first is 5 ms, then doubling,
    /// as that of Kubernetes' controllers, which go up to minutes.
    package var creationBackoff = Duration.milliseconds(100)
    /// `timeoutSeconds` of the webhook configuration.
    package var webhookTimeoutSeconds = 10

    package init(executable: String) {
      self.executable = executable
    }
  }

  package let settings: Settings
  package let admission: AdmissionClient
  let client: HTTPClient
  let processes: LocalProcesses
  private let scope: TaskScope

  fileprivate init(
    settings: Settings, admission: AdmissionClient, client: HTTPClient, processes: LocalProcesses,
    scope: TaskScope
  ) {
    self.settings = settings
    self.admission = admission
    self.client = client
    self.processes = processes
    self.scope = scope
  }

  /// Creates one Pod and starts it. Returns once it is admitted; await its events for what comes
  /// next.
  ///
  /// Throws ``PodRefusal``, or ``LocalKubeletError`` when the webhook does not answer.
  package func create(_ manifest: Manifest) async throws -> RunningPod {
    try await create(manifest.makePod())
  }

  /// Creates the Pod `object`, such as one copied from a running Pod.
  package func create(_ object: JSONValue) async throws -> RunningPod {
    switch try await admission.review(object) {
    case .refused(let refusal): throw refusal
    case .allowed(let patched, let warnings):
      let pod = try RunningPod(admitted: patched, warnings: warnings, by: self)
      scope.run { await pod.supervise() }
      return pod
    }
  }

  /// Hands a Deployment (one replica, strategy Recreate), Job or Pod to its controller.
  package func apply(_ manifest: Manifest) -> Workload {
    let workload = Workload(manifest, kubelet: self)
    scope.run { await workload.control() }
    return workload
  }
}

/// Runs `body` with a stand-in for a cluster whose only webhook is at `webhook`.
///
/// The Pods end with the scope, without grace.
///
/// `webhook` is the address of `/mutate`, `authorityPath` the PEM file of its certificate's
/// authority; `processes` owns the processes of the Pods.
package func withLocalKubelet<Result: Sendable>(
  _ settings: LocalKubelet.Settings, webhook: String, authorityPath: String,
  in processes: LocalProcesses, _ body: (LocalKubelet) async throws -> Result
) async throws -> Result {
  var tls = TLSConfiguration.makeClientConfiguration()
  tls.trustRoots = .file(authorityPath)
  var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
  configuration.timeout.connect = .seconds(2)
  configuration.connectionPool.idleTimeout = .seconds(30)
  return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
    try await withTaskScope { scope in
      try await body(
        LocalKubelet(
          settings: settings,
          admission: AdmissionClient(
            address: webhook, timeoutSeconds: settings.webhookTimeoutSeconds, client: client),
          client: client, processes: processes, scope: scope))
    }
  }
}
