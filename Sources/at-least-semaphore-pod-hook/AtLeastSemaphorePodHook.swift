import ArgumentParser
import PodHook
import ServiceKit

@main
struct Program {
  static func main() async { await CommandLineProgram.main(AtLeastSemaphorePodHook.self) }
}

struct AtLeastSemaphorePodHook: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "at-least-semaphore-pod-hook",
    abstract: "Lets N Pods per key run at the same time, and no fewer because of a crash.",
    version: "0.1.0",
    subcommands: [Webhook.self, Sidecar.self, Status.self, Release.self, Resize.self])

  static let name = "at-least-semaphore-pod-hook"
  static let image = "ghcr.io/kaidotio/hippocampus/at-least-semaphore-pod-hook:main"
  static let probePort = 65530
}
