import LocalKubelet
import LocalServers

extension Demonstration {
  /// Two Jobs with one key run one after the other.
  func playJobs(_ first: Manifest, _ second: Manifest, in cluster: LocalCluster) async throws {
    narrator.title(
      "The Jobs \(first.name) and \(second.name) share the key "
        + "\"\(first.annotation("\(Self.annotation)key") ?? "")\"")
    let early = cluster.kubelet.apply(first)
    let pod = try await begin(early)
    let late = cluster.kubelet.apply(second)
    let refusal = try await late.refusal()
    narrator.check(refusal.code == 403, "\(late.name) is refused: \(refusal.message)")
    try await early.finish()
    note(end: "completed")
    narrator.say("\(early.name) is done")
    let successor = try await begin(late)
    let stopping = try await pod.wait(for: .sidecarTerminating)
    let gap = try await successor.wait(for: .admitted).at - stopping.at
    narrator.check(
      gap < .milliseconds(200), "\(late.name) was admitted \(brief(gap)) after \(early.name) ended")
    try await late.finish()
    note(end: "completed")
    narrator.say("\(late.name) is done")
  }
}
