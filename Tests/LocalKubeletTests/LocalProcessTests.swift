import Glibc
import LocalServers
import Testing

@Suite struct LocalProcessTests {
  private func shell(_ script: String, name: String = "shell") -> LocalProcess.Command {
    LocalProcess.Command(name: name, executable: "/bin/sh", arguments: ["-c", script])
  }

  @Test func outputAndExitCodeAreKept() async throws {
    try await withLocalProcesses { processes in
      let process = try await processes.start(shell("echo out; echo err >&2; exit 7"))
      #expect(try await process.waitForExit() == .exited(7))
      #expect(process.output.sorted() == ["err", "out"])
    }
  }

  @Test func outputIsBounded() async throws {
    try await withLocalProcesses { processes in
      let process = try await processes.start(
        shell("i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); done"))
      _ = try await process.waitForExit()
      #expect(process.output.count == RecentLines.limit)
      #expect(process.output.last == "999")
    }
  }

  @Test func signalsReachTheProcessUntilItsEndAndNotAfterwards() async throws {
    try await withLocalProcesses { processes in
      let process = try await processes.start(
        shell("trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.01; done"))
      try await process.line(containing: "ready")
      #expect(process.signal(.terminate))
      #expect(try await process.waitForExit() == .exited(3))
      #expect(!process.signal(.kill))
    }
  }

  @Test func aProcessThatClosesItsOutputCanStillBeSignalled() async throws {
    try await withLocalProcesses { processes in
      let process = try await processes.start(shell("exec >/dev/null 2>&1; exec sleep 1000"))
      try await process.kill()
      #expect(process.exitStatus == .signalled(SIGKILL))
    }
  }

  @Test func aMissingExecutableSaysWhatToDo() async throws {
    try await withLocalProcesses { processes in
      let error = await #expect(throws: LocalServersError.self) {
        _ = try await processes.start(
          LocalProcess.Command(
            name: "x", executable: "no-such-server", installHint: "install no-such-server"))
      }
      #expect(error?.kind == .missingExecutable)
      #expect(error?.message.contains("install no-such-server") == true)
    }
  }

  @Test func waitingForALineOfAProcessThatEndsFails() async throws {
    try await withLocalProcesses { processes in
      let process = try await processes.start(shell("echo something else"))
      await #expect(throws: LocalServersError.self) {
        try await process.line(containing: "never written")
      }
    }
  }

  @Test func theEndOfTheScopeKillsProcessesAndRemovesFiles() async throws {
    let (identifier, directory) = try await withLocalProcesses { processes in
      let process = try await processes.start(shell("trap '' TERM; echo up; sleep 1000"))
      try await process.line(containing: "up")
      let directory = try processes.newDirectory("data")
      #expect(access(directory, F_OK) == 0)
      return (try #require(process.processIdentifier), directory)
    }
    #expect(kill(identifier, 0) == -1)
    #expect(access(directory, F_OK) == -1)
  }

  @Test func cancellationEndsTheScope() async throws {
    let seen = Observed<(identifier: Int32, directory: String)?>(nil)
    let task = Task {
      try await withLocalProcesses { processes in
        let process = try await processes.start(shell("sleep 1000"))
        let identifier = try #require(process.processIdentifier)
        let directory = processes.directory
        seen.update { $0 = (identifier, directory) }
        _ = try await process.waitForExit()
      }
    }
    let (identifier, directory) = try await seen.first { $0 }
    task.cancel()
    await #expect(throws: (any Error).self) { try await task.value }
    #expect(kill(identifier, 0) == -1)
    #expect(access(directory, F_OK) == -1)
  }

  @Test func aDeadlineNamesWhatWasExpected() async throws {
    let error = await #expect(throws: LocalServersError.self) {
      try await withDeadline(.milliseconds(1), "the sun rises") {
        try await Task.sleep(for: .seconds(3600))
      }
    }
    #expect(error?.kind == .deadline)
    #expect(error?.message.contains("the sun rises") == true)
  }
}
