import JSON
package import LocalServers

extension RunningPod {
  /// Deletes the Pod as a kubelet does: SIGTERM to the applications (and to a sidecar that is an
  /// ordinary container), then to the sidecars in reverse order; SIGKILL when the grace period is
  /// over. Returns once nothing of it runs.
  ///
  /// Without `gracePeriod` the Pod's own counts.
  package func delete(gracePeriod: Duration? = nil) async throws {
    let grace = gracePeriod ?? self.gracePeriod
    state.update { $0.ending = .stop }
    guard grace > .zero else { return try await killAll() }
    let end = ContinuousClock.now + grace
    terminateSidecars { !$0.isGate }
    await stopApplications(within: grace)
    terminateSidecars(where: \.isGate)
    do {
      try await wait(for: .stopped, within: max(end - .now, .zero))
    } catch is LocalServersError {
      try await killAll()
    }
  }

  /// Lets the applications end by themselves, successfully, as those of a Job do; the sidecars get
  /// SIGTERM, and the Pod stops.
  package func finishApplications() {
    state.update { $0.ending = .stop }
    for process in state.current.applications.values { process.signal(.kill) }
    noteApplicationsStopped()
    terminateSidecars { _ in true }
  }

  /// The node loses power: everything of the Pod is killed at once (SIGKILL), nobody is told.
  package func killNode() async throws {
    state.update { state in
      state.ending = .stop
      state.events.append(TimedPodEvent(event: .nodeDied, at: .now))
    }
    try await killAll()
  }

  /// Sends a signal to the sidecars only. After `.kill` the kubelet starts them again.
  package func signalSidecars(_ signal: LocalProcess.Signal) {
    for process in state.current.sidecars.values { process.signal(signal) }
  }

  /// Kills the sidecars only (SIGKILL); the kubelet starts them again with the same arguments.
  package func killSidecar() { signalSidecars(.kill) }

  /// The Pod's `terminationGracePeriodSeconds`.
  package var gracePeriod: Duration {
    .seconds(object["spec"]?["terminationGracePeriodSeconds"]?.integer ?? 30)
  }

  private func killAll() async throws {
    let current = state.current
    for process in current.applications.values { process.signal(.kill) }
    for process in current.sidecars.values { process.signal(.kill) }
    noteApplicationsStopped()
    try await wait(for: .stopped)
  }

  private func terminateSidecars(where isMeant: (ContainerSpec) -> Bool) {
    for container in containers.reversed() where container.isHookSidecar && isMeant(container) {
      guard let process = state.current.sidecars[container.name] else { continue }
      if process.signal(.terminate) { record(.sidecarTerminating) }
    }
  }

  /// Sends SIGTERM to the applications and waits for their end; SIGKILL after `limit`.
  func stopApplications(within limit: Duration = .seconds(2)) async {
    let processes = Array(state.current.applications.values)
    for process in processes { process.signal(.terminate) }
    let ended: Void? = try? await withDeadline(limit, "the applications end") {
      for process in processes { _ = try await process.waitForExit() }
    }
    if ended == nil {
      for process in processes { try? await process.kill() }
    }
    noteApplicationsStopped()
  }
}
