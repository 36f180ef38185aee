import ArgumentParser
import Coordination
import Logging
import NIOPosix
import PodHook
import ServiceKit

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows who holds a lock, or all locks that are held.")

  @Argument(help: "The lock: <namespace>/<key>. Without it: all that are held.")
  var key: String?

  @Option(help: "text or json (default: text).")
  var output: String?

  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let output = reader.choice("output", flag: output, default: OutputFormat.text)
    let lockKey = NamespacedKey.read(key, &reader)
    let makeStore = store.reading(&reader, logging)
    try reader.finish()
    let locks = makeStore()
    let reports = try await withRunning([locks]) {
      try await LockInspection(store: locks).status(lockKey)
    }
    let now = WallClock.now.seconds
    print(
      output == .json
        ? LockReport.json(reports, now: now) : LockReport.table(reports, now: now),
      terminator: "")
  }
}

extension StoreOptions {
  /// Reads the options now; makes the store once they are known to be right.
  func reading(
    _ reader: inout OptionReader, _ logging: LoggingOptions
  ) -> () -> any LockStore {
    let configuration = resolve(&reader)
    let level = logging.resolve(&reader)
    return {
      // What goes wrong is said once, by the command itself.
      let telemetry = Telemetry(bootstrap: max(level, .critical), label: "command")
      return configuration.makeStore(
        clientName: "exactly-one-pod-hook",
        eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1),
        logger: telemetry.logger)
    }
  }
}
