import LocalServers

/// What a controller keeps alive: at most one Pod of a Deployment or Job, created again and again
/// while admission refuses it.
package final class Workload: Sendable {
  struct State: Sendable {
    var events: [Event] = []
    var isWanted = true
    var isOver = false
  }

  package enum Event: Sendable {
    case refused(PodRefusal, at: ContinuousClock.Instant)
    case created(RunningPod)
    /// The Pod of a Job ended by itself.
    case finished(at: ContinuousClock.Instant)
  }

  package let manifest: Manifest
  let state = Observed(State())
  private let kubelet: LocalKubelet

  init(_ manifest: Manifest, kubelet: LocalKubelet) {
    self.manifest = manifest
    self.kubelet = kubelet
  }

  package var name: String { manifest.name }

  /// The Pods that were created so far, the last one last.
  package var pods: [RunningPod] { state.current.pods }

  /// All refusals so far.
  package var refusals: [PodRefusal] {
    state.current.refusals
  }

  /// Waits until the `count`-th Pod has been admitted.
  package func pod(
    _ count: Int = 1, within limit: Duration = .seconds(30)
  ) async throws -> RunningPod {
    try await withDeadline(limit, "\(name) has a Pod") { [state] in
      try await state.first { $0.pods.count >= count ? $0.pods[count - 1] : nil }
    }
  }

  /// Waits for the first refusal after the first `count` ones.
  package func refusal(
    after count: Int = 0, within limit: Duration = .seconds(30)
  ) async throws -> PodRefusal {
    try await withDeadline(limit, "\(name) is refused a Pod") { [state] in
      try await state.first { $0.refusals.count > count ? $0.refusals[count] : nil }
    }
  }

  /// Waits until the Job is done.
  package func finish(within limit: Duration = .seconds(30)) async throws {
    try await withDeadline(limit, "\(name) is done") { [state] in
      try await state.first { state in
        if case .finished = state.events.last { true } else { nil }
      }
    }
  }

  /// Deletes the Pod gracefully; its controller then makes the next one (strategy Recreate).
  package func rollOut() async throws {
    try await pods.last?.delete()
  }

  /// Deletes the Pod gracefully and makes no other (`replicas: 0`).
  package func scaleDown() async throws {
    state.update { $0.isWanted = false }
    try await pods.last?.delete()
  }

  /// Makes Pods again.
  package func scaleUp() {
    state.update { $0.isWanted = true }
  }

  // MARK: The controller

  /// Creates a Pod whenever one is wanted and none exists. A Pod whose node died still exists: it
  /// takes minutes until Kubernetes gives it up.
  func control() async {
    while !Task.isCancelled {
      guard (try? await state.first(where: { $0.isWanted ? true : nil })) != nil else { return }
      guard let pod = await create() else { continue }
      guard (try? await pod.state.first(where: Self.isStopped)) != nil else { return }
      if pod.events.contains(where: { $0.event == .nodeDied }) || manifest.kind == .pod { return }
      if manifest.kind == .job {
        state.update { $0.events.append(.finished(at: .now)) }
        return
      }
    }
  }

  @Sendable private static func isStopped(_ state: RunningPod.State) -> Bool? {
    state.events.last?.event == .stopped ? true : nil
  }

  /// Tries until admission allows a Pod; nil when none is wanted any more.
  private func create() async -> RunningPod? {
    var pause = Duration.milliseconds(5)
    while state.current.isWanted, !Task.isCancelled {
      do {
        let pod = try await kubelet.create(manifest)
        state.update { $0.events.append(.created(pod)) }
        return pod
      } catch let refusal as PodRefusal {
        state.update { $0.events.append(.refused(refusal, at: .now)) }
      } catch {
        let refusal = PodRefusal(code: 500, message: "\(error)")
        state.update { $0.events.append(.refused(refusal, at: .now)) }
      }
      pause = min(pause * 2, kubelet.settings.creationBackoff)
      try? await Task.sleep(for: pause)
    }
    return nil
  }
}

extension Workload.State {
  var refusals: [PodRefusal] {
    events.compactMap { if case .refused(let refusal, _) = $0 { refusal } else { nil } }
  }

  var pods: [RunningPod] {
    events.compactMap { if case .created(let pod) = $0 { pod } else { nil } }
  }
}
