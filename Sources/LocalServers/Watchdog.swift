import Subprocess
import SystemPackage

/// A shell that outlives this process by a moment: when its standard input ends, it kills whatever
/// is still running and removes the scope's directory.
///
/// Its input ends when the scope does, and also when this process crashes or is killed, so no
/// server stays behind. (`PR_SET_PDEATHSIG` would fire when the *thread* that spawned ends.)
struct Watchdog: Sendable {
  private let input: StandardInputWriter

  /// Runs `body` while a watchdog guards its processes and the directory `directory`.
  static func run<Result: Sendable>(
    guarding directory: String, _ body: (Watchdog) async throws -> Result
  ) async throws -> Result {
    var options = PlatformOptions()
    options.createSession = true
    // It ends by itself once its input does; a SIGCONT harms nobody.
    options.teardownSequence = [.send(signal: .resume, allowedDurationToNextStep: .seconds(30))]
    return try await Subprocess.run(
      .path("/bin/sh"), arguments: ["-c", script, "watchdog", directory],
      platformOptions: options, input: .inputWriter, output: .discarded, error: .discarded
    ) { execution in
      try await body(Watchdog(input: execution.standardInputWriter))
    }.closureResult
  }

  func watch(_ process: Int32) async { await tell("+ \(process)") }

  func forget(_ process: Int32) async { await tell("- \(process)") }

  private func tell(_ line: String) async {
    // If it is gone there is nothing to tell: the scope itself still ends every process.
    _ = try? await input.write(line + "\n")
  }

  private static let script = """
    trap '' HUP INT TERM
    alive=
    while read -r change process; do
      others=
      for one in $alive; do [ "$one" = "$process" ] || others="$others $one"; done
      alive=$others
      [ "$change" = - ] || alive="$alive $process"
    done
    for one in $alive; do kill -KILL "$one"; done
    rm -rf "$1"
    """
}
