import ArgumentParser
import Glibc
import KeyValueHTTP
import NIOPosix
import ObjectStore
import ServiceKit

@main
struct Program {
  static func main() async { await CommandLineProgram.main(HTTPKVS.self) }
}

struct HTTPKVS: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "http-kvs",
    abstract: "Keeps values of any size under keys, over plain HTTP, in S3 or a directory.",
    version: "0.1.0")

  @OptionGroup(title: "Serving") var serving: ServingOptions
  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    LargeAllocations.returnToSystem()
    // A write beyond the limit for file sizes is an error of that write (`EFBIG`), not the end.
    signal(SIGXFSZ, SIG_IGN)
    var reader = OptionReader()
    let configuration = serving.resolve(&reader, store: store.resolve(&reader))
    let level = logging.resolve(&reader)
    let traces = OTLPConfiguration(reader: &reader, serviceName: "http-kvs")
    try reader.finish()

    let telemetry = KeyValueTelemetry(bootstrap: level, traces: traces)
    configuration.warn(telemetry.logger)
    let group = MultiThreadedEventLoopGroup.singleton
    let process = try KeyValueProcess(
      configuration: configuration,
      store: configuration.store.makeStore(eventLoopGroup: group, logger: telemetry.logger),
      eventLoopGroup: group, telemetry: telemetry)
    try await process.run()
  }
}
