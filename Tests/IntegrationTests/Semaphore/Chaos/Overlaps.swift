import LocalKubelet

/// What a crowd's Pods did, held against what the store knew at every moment.
struct Overlaps {
  /// Pods that ran without a permit that was not taken from them.
  private(set) var unpermitted: [String] = []
  /// Moments at which too many ran, those taken for dead not counted.
  private(set) var crowds: [String] = []

  private struct Run {
    let pod: RunningPod
    let from: Double
    let until: Double
  }

  init(of pods: [RunningPod], length: Int, _ history: PermitHistory, _ clock: UnixClock) {
    let runs = pods.flatMap { Self.runs(of: $0, clock) }
    let moments = runs.map(\.from) + history.tenures.values.map(\.from)
    for moment in moments {
      let current = runs.filter { $0.from <= moment && moment < $0.until }
      var alive = 0
      for run in current {
        switch history.standing(of: run.pod.uid, at: moment) {
        case .holds: alive += 1
        // Rightly so: see ``PermitHistory/reclaimedAlive(threshold:)``.
        case .reclaimed: break
        case .none:
          alive += 1
          unpermitted.append("\(run.pod.name) at \(moment) of \(run.from)...\(run.until)")
        }
      }
      if alive > length { crowds.append("\(current.map(\.pod.name)) at \(moment)") }
    }
  }

  private static func runs(of pod: RunningPod, _ clock: UnixClock) -> [Run] {
    var runs: [Run] = []
    var from: Double?
    for event in pod.events {
      switch (event.event, from) {
      case (.appRunning, _): from = clock.time(of: event.at)
      case (.appStopped, let start?):
        runs.append(Run(pod: pod, from: start, until: clock.time(of: event.at)))
        from = nil
      default: break
      }
    }
    if let from { runs.append(Run(pod: pod, from: from, until: .infinity)) }
    return runs
  }
}
