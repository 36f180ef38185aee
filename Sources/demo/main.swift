import Glibc
import LocalKubelet

// Shows the hooks at work: `demo [EXECUTABLES [APPLICATIONS]]`, both folders.
let arguments = CommandLine.arguments.dropFirst()
let demonstration = Demonstration(
  executables: HookExecutables(directory: arguments.first ?? Demonstration.ownDirectory),
  examples: arguments.dropFirst().first ?? "cluster/applications")
exit(await demonstration.run() ? 0 : 1)
