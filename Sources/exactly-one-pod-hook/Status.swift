import ArgumentParser
import Coordination
import Logging
import NIOPosix
import PodHook
import ServiceKit

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows who holds a lock, or all locks that are held.")

  enum Output: String, CaseIterable {
    case text
    case json
  }

  @Argument(help: "The lock: <namespace>/<key>. Without it: all that are held.")
  var key: String?

  @Option(help: "text or json (default: text).")
  var output: String?

  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let output = reader.choice("output", flag: output, default: Output.text)
    let lockKey = NamespacedKey.read(key, &reader)
    let inspection = store.inspection(&reader, logging)
    try reader.finish()
    let reports = try await inspection().withStore { try await $0.status(lockKey) }
    let now = WallClock.now.seconds
    print(
      output == .json
        ? LockReport.json(reports, now: now) : LockReport.table(reports, now: now),
      terminator: "")
  }
}

extension NamespacedKey {
  /// The key argument of a command; faults go to the reader.
  static func read(_ text: String?, _ reader: inout OptionReader) -> NamespacedKey? {
    guard let text else { return nil }
    let key = NamespacedKey(parsing: text)
    if key == nil { reader.rejectArgument("KEY", value: text, allowed: "<namespace>/<key>") }
    return key
  }
}

extension StoreOptions {
  /// Reads the options now; makes the store once they are known to be right.
  func inspection(
    _ reader: inout OptionReader, _ logging: LoggingOptions
  ) -> () -> LockInspection {
    let configuration = resolve(&reader)
    let level = logging.resolve(&reader)
    return {
      // What goes wrong is said once, by the command itself.
      let telemetry = Telemetry(bootstrap: max(level, .critical), label: "command")
      return LockInspection(
        store: configuration.makeStore(
          clientName: "exactly-one-pod-hook",
          eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1),
          logger: telemetry.logger))
    }
  }
}
