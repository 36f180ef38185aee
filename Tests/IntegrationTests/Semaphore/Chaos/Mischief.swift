import LocalKubelet
import LocalServers

/// What may happen to a cluster, drawn from a seed.
struct Mischief: Sendable {
  let crowd: Crowd
  let staleAfter: Duration
  private var random: SeededRandom

  init(to crowd: Crowd, staleAfter: Duration, seed: UInt64) {
    self.crowd = crowd
    self.staleAfter = staleAfter
    random = SeededRandom(seed: seed)
  }

  /// Does `count` things, some of which last, one soon after the other.
  /// - Returns: when all are over: nothing is frozen or away any more.
  mutating func wreak(_ count: Int) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for _ in 0..<count {
        try await Task.sleep(for: .milliseconds(Int.random(in: 50...350, using: &random)))
        try await act(in: &group)
      }
    }
  }

  private mutating func act(in group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
    // Mostly one of those that hold a permit.
    let victims = Int.random(in: 0..<4, using: &random) == 0 ? crowd.living : crowd.running
    let pod = victims.randomElement(using: &random)
    switch (Int.random(in: 0..<22, using: &random), pod) {
    case (0..<4, let pod?): group.addTask { try await pod.delete(gracePeriod: .seconds(5)) }
    case (4..<7, let pod?): group.addTask { try await pod.killNode() }
    case (7..<10, let pod?): pod.killSidecar()
    case (10..<12, let pod?):
      freeze(pod, for: staleAfter * Double.random(in: 0.1...0.5, using: &random), in: &group)
    case (12..<18, let pod?):
      freeze(pod, for: staleAfter * Double.random(in: 1.2...1.8, using: &random), in: &group)
    case (18..<20, _):
      try await crowd.cluster.queue.restart()
    default:
      let webhook = crowd.cluster.hooks.randomElement(using: &random)
      try await webhook?.restart()
    }
  }

  private func freeze(
    _ pod: RunningPod, for time: Duration, in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    pod.signalSidecars(.stop)
    group.addTask {
      try? await Task.sleep(for: time)
      pod.signalSidecars(.resume)
    }
  }
}
