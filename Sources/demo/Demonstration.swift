import Glibc
import LocalKubelet
import LocalServers

/// The demo: real Redis servers, the real webhook, real sidecars, and the Pods of the examples.
final class Demonstration {
  static let annotation = "exactly-one-pod-hook.kaidotio.github.io/"

  let narrator = Narrator()
  private let executable: String
  private let examples: String
  /// The Pods that ran, for the summary.
  var runs: [Run] = []

  struct Run {
    let pod: RunningPod
    let token: Int?
    var end: String
  }

  init(executable: String, examples: String) {
    self.executable = executable
    self.examples = examples
  }

  /// The path of an executable in the directory of this one.
  static func siblingExecutable(_ name: String) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let path = String(
      decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return path.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/\(name)"
  }

  /// Shows everything.
  ///
  /// - Returns: whether all went as it must.
  func run() async -> Bool {
    narrator.plain("exactly-one-pod-hook: of the Pods that share a key, at most one runs.")
    do {
      let deployments = try Manifest.all(inFile: "\(examples)/deployment.yaml")
      // The Jobs' work, shortened for an impatient audience.
      let jobs = try Manifest.all(inFile: "\(examples)/job.yaml") { text in
        text.replacing("sleep 15", with: "sleep 2")
      }
      guard deployments.count == 2, jobs.count == 2 else {
        throw LocalKubeletError(.manifest, "\(examples) must hold two Deployments and two Jobs")
      }
      var settings = LocalCluster.Settings(executable: executable)
      settings.kubelet.applications = .run
      settings.kubelet.creationBackoff = .milliseconds(50)
      narrator.title("The stage")
      try await withLocalCluster(settings) { cluster in
        do {
          try await play(deployments, jobs, in: cluster)
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
    _ deployments: [Manifest], _ jobs: [Manifest], in cluster: LocalCluster
  ) async throws {
    let ports = cluster.redis.map { "\($0.port)" }.joined(separator: ", ")
    narrator.say("three independent Redis servers run on ports \(ports)")
    narrator.say("the webhook serves TLS on port \(cluster.hook.port) and is ready")
    try await playDeployments(deployments[0], deployments[1], in: cluster)
    try await playJobs(jobs[0], jobs[1], in: cluster)
  }

  private func showLogs(of cluster: LocalCluster) {
    narrator.title("What the processes logged last")
    for line in cluster.hook.process.output.suffix(30) { narrator.plain("webhook: \(line)") }
    for run in runs {
      for line in run.pod.sidecarOutput.suffix(20) {
        narrator.plain("\(run.pod.name): \(line)")
      }
    }
  }
}
