import ArgumentParser
import ExporterMerger
import Logging
import ServiceKit

@main
struct Program {
  static func main() async { await CommandLineProgram.main(MergeCommand.self) }
}

struct MergeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exporter-merger",
    abstract: "Serves the metrics of several Prometheus exporters as one.",
    version: "0.1.0")

  @OptionGroup var merger: MergerOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let configuration = merger.resolve(&reader)
    let level = logging.resolve(&reader)
    try reader.finish()
    JSONLogHandler.bootstrap(level: level)
    try await MergerProcess(configuration, logger: Logger(label: "exporter-merger")).run()
  }
}
