import LocalKubelet

extension Demonstration {
  /// Tells which application ran when, and whether any two of a key ever did at once.
  ///
  /// - Returns: whether nothing failed.
  func summarize() -> Bool {
    narrator.title("Summary")
    if !runs.isEmpty {
      narrator.plain(
        "  \(filled("Pod", 27))\(filled("key", 10))\(padded("token", 5))  "
          + "\(filled("application ran", 22))ended by")
    }
    var last: [String: (until: ContinuousClock.Instant, token: Int)] = [:]
    for run in runs {
      let key = run.key
      let from = time(of: .appRunning, run.pod)
      let until = time(of: .appStopped, run.pod)
      narrator.plain(
        "  \(filled(run.pod.name, 27))\(filled(key, 10))"
          + "\(padded(run.token.map { "\($0)" } ?? "-", 5))  "
          + "\(filled("\(since(from)) to \(since(until))", 22))\(run.end)")
      guard let token = run.token else { continue }
      if let before = last[key], let from, from < before.until || token <= before.token {
        narrator.fail("\(run.pod.name) overlapped with its predecessor, or its token did not grow")
      }
      if let until { last[key] = (until, token) }
    }
    let failures = narrator.failures
    narrator.plain("")
    guard failures.isEmpty else {
      narrator.plain("Not as promised:")
      for failure in failures { narrator.plain("  ✗ \(failure)") }
      return false
    }
    narrator.plain(
      "Never two Pods of a lock at once, and the fencing tokens only grew; never fewer permits of "
        + "the semaphore than promised. \(seconds(.now - narrator.start)) in all.")
    return true
  }

  private func time(of event: PodEvent, _ pod: RunningPod) -> ContinuousClock.Instant? {
    pod.events.first { $0.event == event }?.at
  }

  private func since(_ instant: ContinuousClock.Instant?) -> String {
    instant.map { seconds($0 - narrator.start) } ?? "-"
  }
}
