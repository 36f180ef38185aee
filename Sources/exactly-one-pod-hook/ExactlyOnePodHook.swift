import ArgumentParser
import PodHook
import ServiceKit

@main
struct Program {
  static func main() async { await CommandLineProgram.main(ExactlyOnePodHook.self) }
}

struct ExactlyOnePodHook: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exactly-one-pod-hook",
    abstract: "Runs at most one Pod per key.",
    version: "0.1.0",
    subcommands: [Webhook.self, Sidecar.self, Status.self, Release.self])

  static let image = "ghcr.io/kaidotio/hippocampus/exactly-one-pod-hook:main"
  static let probePort = 65531
}
