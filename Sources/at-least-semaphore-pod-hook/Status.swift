import ArgumentParser
import Coordination
import PodHook
import ServiceKit

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows a semaphore and who has its permits, or all semaphores.")

  @Argument(help: "The semaphore: <namespace>/<key>. Without it: all.")
  var key: String?

  @Option(help: "text or json (default: text).")
  var output: String?

  @OptionGroup(title: "Queue") var queue: QueueOptions
  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let output = reader.choice("output", flag: output, default: OutputFormat.text)
    let semaphoreKey = NamespacedKey.read(key, &reader)
    let inspecting = Inspecting(store, queue, logging, &reader)
    try reader.finish()
    let reports = try await inspecting.run { try await $0.status(semaphoreKey) }
    let now = WallClock.now.seconds
    print(
      output == .json
        ? SemaphoreReport.json(reports, now: now) : SemaphoreReport.table(reports, now: now),
      terminator: "")
  }
}
