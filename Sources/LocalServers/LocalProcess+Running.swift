import Glibc
import Subprocess
import SystemPackage

/// A process as long as it can be signalled.
struct RunningProcess: Sendable {
  let identifier: Int32
  let send: @Sendable (LocalProcess.Signal) -> Bool
}

extension LocalProcess {
  /// Runs the process to its end, or kills it when the task is cancelled.
  ///
  /// - Parameter watchdog: learns of the process before anybody else does.
  func run(watchedBy watchdog: Watchdog) async {
    do {
      let result = try await Subprocess.run(
        configuration, input: .none, output: .sequence, error: .combinedWithOutput
      ) { execution in
        let identifier = execution.processIdentifier.value
        await watchdog.watch(identifier)
        move(
          to: .running(
            RunningProcess(identifier: identifier) { signal in
              (try? execution.send(signal: signal.subprocessSignal)) != nil
            }))
        // A read error ends the output, not the process.
        try? await read(execution.standardOutput)
        await Self.waitUntilDead(identifier)
        // From here on the number may be given to another process.
        move(to: .ending)
        return identifier
      }
      await watchdog.forget(result.closureResult)
      move(to: .ended(ExitStatus(result.terminationStatus)))
    } catch let error as SubprocessError where error.code == .executableNotFound {
      fail(.missingExecutable, "\(command.executable) was not found: \(command.installHint)")
    } catch {
      fail(.system, "\(command.name) could not be run: \(error)")
    }
  }

  private func move(to stage: Stage) {
    state.update { $0.stage = stage }
  }

  private func fail(_ kind: LocalServersError.Kind, _ message: String) {
    move(to: .failed(LocalServersError(kind, message)))
  }

  private func read(_ output: SubprocessOutputSequence) async throws {
    defer { state.update { $0.output.finish() } }
    for try await buffer in output {
      let bytes = buffer.withUnsafeBytes { Array($0) }
      state.update { state in bytes.withUnsafeBytes { state.output.append($0) } }
    }
  }

  /// Waits until the process is a zombie that nobody has reaped yet. Its output has ended, so this
  /// is a moment, unless the process closed its output and lives on.
  private static func waitUntilDead(_ identifier: Int32) async {
    var pause = Duration.milliseconds(1)
    while !isDead(identifier) {
      // Cancelled: the scope kills the process, and nobody signals it any more.
      guard (try? await Task.sleep(for: pause)) != nil else { return }
      pause = min(pause * 2, .milliseconds(50))
    }
  }

  private static func isDead(_ identifier: Int32) -> Bool {
    var information = siginfo_t()
    let result = waitid(P_PID, id_t(identifier), &information, WEXITED | WNOHANG | WNOWAIT)
    return result != 0 || information.si_signo == SIGCHLD
  }

  private var configuration: Configuration {
    let executable: Executable =
      command.executable.contains("/")
      ? .path(FilePath(command.executable)) : .name(command.executable)
    var variables: [Environment.Key: String?] = [:]
    for (name, value) in command.environment {
      variables[Environment.Key(stringLiteral: name)] = value
    }
    var options = PlatformOptions()
    // A session of its own: Ctrl-C reaches this program only, and the watchdog does the rest.
    options.createSession = true
    return Configuration(
      executable: executable, arguments: Arguments(command.arguments),
      environment: .inherit.updating(variables), platformOptions: options)
  }
}

extension LocalProcess.Signal {
  fileprivate var subprocessSignal: Subprocess.Signal {
    switch self {
    case .terminate: .terminate
    case .interrupt: .interrupt
    case .hangUp: .terminalClosed
    case .kill: .kill
    case .stop: .suspend
    case .resume: .resume
    }
  }
}

extension LocalProcess.ExitStatus {
  fileprivate init(_ status: TerminationStatus) {
    self =
      switch status {
      case .exited(let code): .exited(code)
      case .signaled(let signal): .signalled(signal)
      }
  }
}
