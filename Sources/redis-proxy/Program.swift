import ArgumentParser
import Logging
import RedisProxy
import ServiceKit

@main
struct Program {
  static func main() async { await CommandLineProgram.main(Proxy.self) }
}

struct Proxy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redis-proxy",
    abstract: "Pools connections to Redis and sends reads to its replicas.",
    version: "0.1.0")

  @OptionGroup var options: ProxyOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let configuration = options.resolve(&reader)
    let monitor = reader.address(
      "monitor-address", flag: options.monitorAddress, default: .tcp(host: "127.0.0.1", port: 8080))
    let grace = reader.duration(
      "termination-grace-period", flag: options.terminationGracePeriod, default: .seconds(10))
    let lameDuck = reader.duration("lameduck", flag: options.lameduck, default: .seconds(1))
    let keepsAlive = reader.bool(
      "http-keepalive",
      flag: reader.value("http-keepalive", flag: options.httpKeepalive, allowed: "true or false") {
        Bool($0)
      }, default: true)
    let level = logging.resolve(&reader)
    try reader.finish()

    JSONLogHandler.bootstrap(level: level)
    OpenFiles.allowAll()
    let process = try await ProxyProcess(
      configuration: configuration, monitorAddress: monitor, keepsAlive: keepsAlive,
      lameDuck: lameDuck, grace: grace, registry: PrometheusRegistry(),
      logger: Logger(label: "redis-proxy"))
    ResidentCode.release()
    try await process.run()
  }
}
