import JSON
import LocalServers

extension RunningPod {
  func startApplication(_ container: ContainerSpec) async {
    let words = container.command + container.arguments
    guard let executable = words.first, !isEnding else { return }
    var environment = container.environment
    environment["HOSTNAME"] = name
    let process = try? await kubelet.processes.start(
      LocalProcess.Command(
        name: "\(name)/\(container.name)", executable: executable,
        arguments: Array(words.dropFirst()), environment: environment))
    let ending = state.update { state in
      state.applications[container.name] = process
      return state.ending
    }
    if ending != nil { process?.signal(.kill) }
  }

  /// Follows an application container, starts it again as the Pod's restart policy says, and ends
  /// the Pod when all of them are done.
  func keepApplication(_ container: ContainerSpec, of all: [ContainerSpec]) async {
    let policy = object["spec"]?["restartPolicy"]?.string ?? "Always"
    while let process = state.current.applications[container.name] {
      guard let status = try? await process.waitForExit() else { return }
      if isEnding { return }
      guard policy == "Always" || policy == "OnFailure" && status != .exited(0) else { break }
      await pauseBeforeRestart()
      if isEnding { return }
      await startApplication(container)
      noteApplicationsRun()
    }
    let allFinished = state.update { state in
      state.finished.insert(container.name)
      return state.finished.count == all.count
    }
    if allFinished { finishApplications() }
  }

  /// Stops the applications whenever their liveness probe fails, and starts them again (the fence
  /// `liveness`). All of them, as one lost lock fails all their probes.
  func keepAlive(by probe: Probe) async {
    while !isEnding {
      let isAlive = await probe.succeeds(
        with: kubelet.client, executables: kubelet.settings.executables, in: kubelet.processes)
      if !isAlive, !isEnding, isAppRunning {
        await stopApplications()
        await pauseBeforeRestart()
        if kubelet.settings.applications == .record { noteApplicationsRun() }
      }
      try? await Task.sleep(for: kubelet.settings.probePeriod)
    }
  }

  func noteApplicationsRun() {
    state.update { state in
      guard state.ending == nil, !state.applicationsRun else { return }
      state.applicationsRun = true
      state.events.append(TimedPodEvent(event: .appRunning, at: .now))
    }
  }

  func noteApplicationsStopped() {
    state.update { state in
      guard state.applicationsRun else { return }
      state.applicationsRun = false
      state.events.append(TimedPodEvent(event: .appStopped, at: .now))
    }
  }
}
