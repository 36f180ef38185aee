import Glibc
import Synchronization

/// The processes of a scope, and a temporary directory for their files.
package final class LocalProcesses: Sendable {
  /// Exists as long as the scope does.
  package let directory: String

  private let scope: TaskScope
  private let watchdog: Watchdog
  private let directories = Mutex(0)

  fileprivate init(directory: String, scope: TaskScope, watchdog: Watchdog) {
    self.directory = directory
    self.scope = scope
    self.watchdog = watchdog
  }

  /// Starts a process. It is killed when the scope ends, if not before.
  ///
  /// - Returns: when the process runs, which says nothing about whether it is ready.
  /// - Throws: ``LocalServersError`` (`missingExecutable`, `system`, `scopeOver`).
  package func start(_ command: LocalProcess.Command) async throws -> LocalProcess {
    let process = LocalProcess(command)
    guard scope.run({ [watchdog] in await process.run(watchedBy: watchdog) }) else {
      throw LocalServersError(.scopeOver, "\(command.name) was started after its scope had ended")
    }
    let failure: LocalServersError? = try await process.state.first { state in
      switch state.stage {
      case .starting: nil
      case .failed(let error): .some(.some(error))
      case .running, .ending, .ended: .some(.none)
      }
    }
    if let failure { throw failure }
    return process
  }

  /// Makes a new, empty directory that lasts as long as the scope.
  package func newDirectory(_ name: String) throws -> String {
    let number = directories.withLock { count in
      count += 1
      return count
    }
    let path = "\(directory)/\(number)-\(name)"
    guard mkdir(path, 0o700) == 0 else {
      throw LocalServersError(.system, "cannot make \(path): \(String(cString: strerror(errno)))")
    }
    return path
  }
}

/// Runs `body` with a scope for processes.
///
/// However the scope is left (return, error, cancellation, crash of this process), its processes
/// are killed with SIGKILL and its directory is removed.
package func withLocalProcesses<Result: Sendable>(
  _ body: (LocalProcesses) async throws -> Result
) async throws -> Result {
  // The pipe to a watchdog that was killed must not kill us.
  signal(SIGPIPE, SIG_IGN)
  let directory = try makeTemporaryDirectory()
  return try await Watchdog.run(guarding: directory) { watchdog in
    try await withTaskScope { scope in
      try await body(LocalProcesses(directory: directory, scope: scope, watchdog: watchdog))
    }
  }
}

/// Whether a file system has room for the files of many servers, and lets programs run. Memory
/// outlives a killed server as a disk does, and dozens of servers that wait for the same disk with each
/// write are slow.
private func isRoomy(_ path: String) -> Bool {
  var information = statvfs()
  guard statvfs(path, &information) == 0, access(path, W_OK) == 0 else { return false }
  // ST_NOEXEC (statvfs(3)), which the C library's module does not export.
  let isExecutable = information.f_flag & 8 == 0
  return isExecutable && information.f_bavail * information.f_frsize >= 8 << 30
}

private func makeTemporaryDirectory() throws -> String {
  let parent =
    getenv("TMPDIR").map { String(cString: $0) } ?? (isRoomy("/dev/shm") ? "/dev/shm" : "/tmp")
  var template = Array("\(parent)/hippocampus-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else {
    throw LocalServersError(
      .system, "cannot make a directory in \(parent): \(String(cString: strerror(errno)))")
  }
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}
