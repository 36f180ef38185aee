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

    /// What sidecars run.
    package var executables: HookExecutables
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

    package init(executables: HookExecutables) {
      self.executables = executables
    }
  }

  package let settings: Settings
  /// The webhooks, in the order in which the API server asks them; never empty.
  package let admissions: [AdmissionClient]
  let client: HTTPClient
  let processes: LocalProcesses
  private let scope: TaskScope

  fileprivate init(
    settings: Settings, admissions: [AdmissionClient], client: HTTPClient,
    processes: LocalProcesses, scope: TaskScope
  ) {
    self.settings = settings
    self.admissions = admissions
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
    let (pod, warnings) = try await admit(object)
    return try start(admitted: pod, warnings: warnings)
  }

  /// Asks all webhooks about the Pod `object`, one after the other, without starting it.
  ///
  /// Returns the Pod as it would be stored, and what kubectl would print as warnings. Throws
  /// ``PodRefusal``, or ``LocalKubeletError`` when a webhook does not answer.
  package func admit(
    _ object: JSONValue, dryRun: Bool = false
  ) async throws -> (pod: JSONValue, warnings: [String]) {
    var pod = object
    var warnings: [String] = []
    for admission in admissions {
      switch try await admission.review(pod, dryRun: dryRun) {
      case .refused(let refusal): throw refusal
      case .allowed(let patched, let more):
        pod = patched
        warnings += more
      }
    }
    return (pod, warnings)
  }

  /// Starts a Pod that was admitted before: as late as one whose images took long to pull.
  package func start(admitted pod: JSONValue, warnings: [String] = []) throws -> RunningPod {
    let pod = try RunningPod(admitted: pod, warnings: warnings, by: self)
    scope.run { await pod.supervise() }
    return pod
  }

  /// Hands a Deployment (one replica, strategy Recreate), Job or Pod to its controller.
  package func apply(_ manifest: Manifest) -> Workload {
    let workload = Workload(manifest, kubelet: self)
    scope.run { await workload.control() }
    return workload
  }
}

/// Runs `body` with a stand-in for a cluster whose webhooks are at `webhooks`.
///
/// The Pods end with the scope, without grace.
///
/// `webhooks` are the addresses of `/mutate` of all replicas of each, at least one; `authorityPath` is the PEM file of their
/// certificates' authority; `processes` owns the processes of the Pods.
package func withLocalKubelet<Result: Sendable>(
  _ settings: LocalKubelet.Settings, webhooks: [[String]], authorityPath: String,
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
          admissions: webhooks.map {
            AdmissionClient(
              addresses: $0, timeoutSeconds: settings.webhookTimeoutSeconds, client: client)
          },
          client: client, processes: processes, scope: scope))
    }
  }
}
