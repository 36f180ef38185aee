import Glibc
import LocalKubelet
import LocalServers

/// The demo: real Redis servers, the real webhook, real sidecars, and the Pods of the examples.
final class Demonstration {
  static let annotation = "\(HookProgram.exactlyOne.domain)/"

  let narrator = Narrator()
  let executables: HookExecutables
  private let examples: String
  /// The Pods that ran, for the summary.
  var runs: [Run] = []

  struct Run {
    let pod: RunningPod
    let key: String
    /// Nil for a Pod with a permit of a semaphore.
    let token: Int?
    var end: String
  }

  /// - Parameter examples: the folder of the applications, each with its examples.
  init(executables: HookExecutables, examples: String) {
    self.executables = executables
    self.examples = examples
  }

  /// The folder that this executable is in.
  static var ownDirectory: String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let path = String(
      decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
  }

  /// Shows everything.
  ///
  /// - Returns: whether all went as it must.
  func run() async -> Bool {
    narrator.plain("exactly-one-pod-hook: of the Pods that share a key, at most one runs.")
    narrator.plain("at-least-semaphore-pod-hook: N Pods of a key can run, whatever crashes.")
    do {
      let locks = "\(examples)/exactly-one-pod-hook/examples"
      let deployments = try Manifest.all(inFile: "\(locks)/deployment.yaml")
      // The Jobs' work, shortened for an impatient audience.
      let jobs = try Manifest.all(inFile: "\(locks)/job.yaml") { text in
        text.replacing("sleep 15", with: "sleep 2")
      }
      guard deployments.count == 2, jobs.count == 2 else {
        throw LocalKubeletError(.manifest, "\(locks) must hold two Deployments and two Jobs")
      }
      let renderer = try Manifest.all(
        inFile: "\(examples)/at-least-semaphore-pod-hook/examples/deployment.yaml")
      var settings = LocalCluster.Settings(executables: executables)
      settings.hooks = [
        .init(.exactlyOne), .init(.atLeastSemaphore, arguments: Self.semaphoreArguments),
      ]
      settings.kubelet.applications = .run
      settings.kubelet.creationBackoff = .milliseconds(50)
      narrator.title("The stage")
      try await withLocalCluster(settings) { cluster in
        do {
          try await play(deployments, jobs, renderer[0], in: cluster)
        } catch {
          narrator.fail("\(error)")
        }
        if !narrator.failures.isEmpty { showLogs(of: cluster) }
      }
    } catch {
      narrator.fail("\(error)")
    }
    return summarize()
  }

  private func play(
    _ deployments: [Manifest], _ jobs: [Manifest], _ renderer: Manifest,
    in cluster: LocalCluster
  ) async throws {
    let ports = cluster.redis.map { "\($0.port)" }.joined(separator: ", ")
    narrator.say("three independent Redis servers run on ports \(ports)")
    narrator.say(
      "both webhooks serve TLS, on the ports \(cluster.hooks[0].port) and "
        + "\(cluster.hooks[1].port), and are ready")
    try await playDeployments(deployments[0], deployments[1], in: cluster)
    try await playJobs(jobs[0], jobs[1], in: cluster)
    try await playSemaphore(renderer, in: cluster)
  }

  private func showLogs(of cluster: LocalCluster) {
    narrator.title("What the processes logged last")
    for hook in cluster.hooks {
      for line in hook.process.output.suffix(30) { narrator.plain("webhook: \(line)") }
    }
    for run in runs {
      for line in run.pod.sidecarOutput.suffix(20) {
        narrator.plain("\(run.pod.name): \(line)")
      }
    }
  }
}
