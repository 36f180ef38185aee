import Glibc

// Shows exactly-one-pod-hook at work: `demo [EXECUTABLE [EXAMPLES]]`.
let arguments = CommandLine.arguments.dropFirst()
let demonstration = Demonstration(
  executable: arguments.first ?? Demonstration.siblingExecutable("exactly-one-pod-hook"),
  examples: arguments.dropFirst().first
    ?? "cluster/applications/exactly-one-pod-hook/examples")
exit(await demonstration.run() ? 0 : 1)
