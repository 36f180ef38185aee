/// A child process with everything that a test does to one: watch it, signal it, await its end.
///
/// Its lifetime belongs to the ``LocalProcesses`` that started it.
package final class LocalProcess: Sendable {
  /// What to start.
  package struct Command: Sendable {
    /// Names the process in messages.
    package var name: String
    /// A path when it contains a slash, else a name that is looked up in `PATH`.
    package var executable: String
    package var arguments: [String]
    /// Added to the inherited environment.
    package var environment: [String: String]
    /// Said when the executable does not exist: how to get it.
    package var installHint: String

    package init(
      name: String, executable: String, arguments: [String] = [],
      environment: [String: String] = [:], installHint: String = "build or install it"
    ) {
      self.name = name
      self.executable = executable
      self.arguments = arguments
      self.environment = environment
      self.installHint = installHint
    }
  }

  package enum Signal: Sendable, Hashable {
    case terminate, interrupt, hangUp
    case kill
    /// SIGSTOP: the process stands still, its sockets stay open.
    case stop
    /// SIGCONT: it goes on.
    case resume
  }

  package enum ExitStatus: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)
  }

  struct State: Sendable {
    var stage = Stage.starting
    var output = RecentLines()
  }

  enum Stage: Sendable {
    case starting
    case running(RunningProcess)
    /// Gone or about to be reaped: no signal may be sent to its number any more.
    case ending
    case ended(ExitStatus)
    case failed(LocalServersError)
  }

  package let command: Command
  let state = Observed(State())

  init(_ command: Command) {
    self.command = command
  }

  /// The operating system's number of the process while it runs.
  package var processIdentifier: Int32? {
    if case .running(let process) = state.current.stage { process.identifier } else { nil }
  }

  /// How it ended; nil while it runs.
  package var exitStatus: ExitStatus? {
    if case .ended(let status) = state.current.stage { status } else { nil }
  }

  /// The last lines that it wrote to standard output and standard error, oldest first (at most
  /// ``RecentLines/limit``).
  package var output: [String] { state.current.output.lines }

  /// Sends a signal.
  ///
  /// - Returns: false when there is no process any more.
  @discardableResult
  package func signal(_ signal: Signal) -> Bool {
    state.update { state in
      if case .running(let process) = state.stage { process.send(signal) } else { false }
    }
  }

  /// Sends SIGKILL and waits until the process is gone.
  package func kill() async throws {
    signal(.kill)
    _ = try await waitForExit()
  }

  /// Waits for the end of the process.
  ///
  /// - Throws: `CancellationError`; what kept the process from starting.
  package func waitForExit() async throws -> ExitStatus {
    let outcome: Result<ExitStatus, LocalServersError> = try await state.first { state in
      switch state.stage {
      case .ended(let status): .success(status)
      case .failed(let error): .failure(error)
      case .starting, .running, .ending: nil
      }
    }
    return try outcome.get()
  }

  /// Waits for a line of output that contains `text`; lines written before count too, as long as
  /// they are kept.
  ///
  /// - Throws: ``LocalServersError`` (`ended`) when the process ends without it.
  @discardableResult
  package func line(containing text: String) async throws -> String {
    let outcome: Result<String, LocalServersError> = try await state.first { [self] state in
      if let line = state.output.lines.last(where: { $0.contains(text) }) { return .success(line) }
      return switch state.stage {
      case .ended(let status): .failure(ended(status, state.output.lines))
      case .failed(let error): .failure(error)
      case .starting, .running, .ending: nil
      }
    }
    return try outcome.get()
  }

  /// What to report when the process should not have ended.
  package func ended(_ status: ExitStatus, _ lines: [String]) -> LocalServersError {
    LocalServersError(
      .ended, "\(command.name) ended (\(status)): \(lines.suffix(20).joined(separator: "\n"))")
  }
}
