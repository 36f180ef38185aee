import JSON
import LocalServers

extension RunningPod {
  /// Runs the containers until the Pod stops, as a kubelet does.
  func supervise() async {
    repeat {
      state.update { state in
        if state.ending == .restart { state.ending = nil }
        state.finished = []
      }
      await withDiscardingTaskGroup { group in
        for container in containers where !container.isGate && container.isHookSidecar {
          group.addTask { await self.keepRunning(container, from: self.startSidecar(container)) }
        }
        await startInOrder(&group)
      }
    } while state.current.ending == .restart && !Task.isCancelled
    noteApplicationsStopped()
    record(.stopped)
  }

  /// Init containers one after the other, each sidecar's startup probe in between, then the rest.
  private func startInOrder(_ group: inout DiscardingTaskGroup) async {
    for container in containers where container.isGate {
      let process = await startSidecar(container)
      group.addTask { await self.keepRunning(container, from: process) }
      if let probe = container.startupProbe { await passes(probe) }
      if isEnding { return }
    }
    record(.gateOpen)
    let applications = containers.filter { !$0.isInit && !$0.isHookSidecar }
    if kubelet.settings.applications == .run {
      for container in applications {
        await startApplication(container)
        group.addTask { await self.keepApplication(container, of: applications) }
      }
    }
    noteApplicationsRun()
    for probe in applications.compactMap(\.livenessProbe) {
      group.addTask { await self.keepAlive(by: probe) }
    }
  }

  var isEnding: Bool { Task.isCancelled || state.current.ending != nil }

  private func passes(_ probe: Probe) async {
    while !isEnding {
      let passed = await probe.succeeds(
        with: kubelet.client, executables: kubelet.settings.executables, in: kubelet.processes)
      if passed { return }
      try? await Task.sleep(for: kubelet.settings.probePeriod)
    }
  }

  // MARK: Sidecars

  /// Runs a sidecar, again whenever it ends, until the Pod ends.
  private func keepRunning(_ container: ContainerSpec, from first: LocalProcess?) async {
    var next = first
    while let process = next {
      let status = try? await process.waitForExit()
      guard let status else {
        process.signal(.kill)
        return
      }
      record(.sidecarExited(status))
      if case .exited(let code) = status, container.restartAllCodes.contains(code), !isEnding {
        return await restartAll()
      }
      await pauseBeforeRestart()
      next = isEnding ? nil : await startSidecar(container)
    }
  }

  private func startSidecar(_ container: ContainerSpec) async -> LocalProcess? {
    var environment = container.environment
    environment["SHARED_DIRECTORY"] = sharedDirectory
    let command = LocalProcess.Command(
      name: "\(name)/\(container.name)", executable: kubelet.settings.executables[container.hook],
      arguments: container.arguments, environment: environment)
    guard let process = try? await kubelet.processes.start(command) else { return nil }
    let ending = state.update { state in
      state.sidecars[container.name] = process
      state.events.append(TimedPodEvent(event: .sidecarStarted, at: .now))
      return state.ending
    }
    if ending != nil { process.signal(.terminate) }
    return process
  }

  /// Ends every container, so that all start again from the first init container on.
  private func restartAll() async {
    let sidecars = state.update { state in
      if state.ending == nil { state.ending = .restart }
      return Array(state.sidecars.values)
    }
    await stopApplications()
    for sidecar in sidecars { sidecar.signal(.kill) }
  }

  /// Waits a moment, but not when the Pod is to end.
  func pauseBeforeRestart() async {
    _ = try? await withDeadline(kubelet.settings.restartBackoff, "the Pod ends") { [state] in
      try await state.first { $0.ending != nil ? true : nil }
    }
  }
}
