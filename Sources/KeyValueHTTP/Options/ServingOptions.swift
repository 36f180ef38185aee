package import ArgumentParser
package import Logging
package import ServiceKit

/// How http-kvs serves, apart from store and access.
package struct ServingOptions: ParsableArguments {
  @Option(help: "The address to serve on (default: 127.0.0.1:8080).")
  package var address: String?

  @Option(help: "Where /metrics, /healthz and /readyz are served too (default: 127.0.0.1:8081).")
  package var monitorAddress: String?

  @Option(help: "How long requests in flight may take after SIGTERM (default: 10s).")
  package var terminationGracePeriod: String?

  @Option(help: "How long to serve on after SIGTERM, before that begins (default: 1s).")
  package var lameduck: String?

  @Flag(
    name: .customLong("http-keepalive"), inversion: .prefixedNo,
    help: "Serve several requests on one connection (default: yes).")
  package var httpKeepalive: Bool?

  @Option(help: "How long a connection may be idle, or a body stand still (default: 2m).")
  package var idleTimeout: String?

  @Option(help: "The most connections at one time (default: 16384).")
  package var maxConnections: String?

  @Option(help: "The largest value, such as 512MiB (default: 5GiB).")
  package var maxValueBytes: String?

  @Flag(inversion: .prefixedNo, help: "Log every request, with its key (default: no).")
  package var accessLog: Bool?

  @OptionGroup(title: "Access") package var access: AccessOptions

  package init() {}

  /// Notes every fault in `reader`; the result counts only if there was none.
  package func resolve(
    _ reader: inout OptionReader, store: StoreConfiguration
  ) -> KeyValueConfiguration {
    var configuration = KeyValueConfiguration(store: store)
    configuration.address = reader.address(
      "address", flag: address, default: configuration.address)
    configuration.monitorAddress = reader.address(
      "monitor-address", flag: monitorAddress, default: configuration.monitorAddress)
    configuration.gracePeriod = reader.duration(
      "termination-grace-period", flag: terminationGracePeriod, default: configuration.gracePeriod,
      in: .zero...(.seconds(3600)))
    configuration.lameDuck = reader.duration(
      "lameduck", flag: lameduck, default: configuration.lameDuck, in: .zero...(.seconds(300)))
    configuration.keepsAlive = reader.bool("http-keepalive", flag: httpKeepalive, default: true)
    configuration.idleTimeout = reader.duration(
      "idle-timeout", flag: idleTimeout, default: configuration.idleTimeout,
      in: .milliseconds(100)...(.seconds(86_400)))
    configuration.maximumConnections = reader.integer(
      "max-connections", flag: maxConnections, default: configuration.maximumConnections,
      in: 1...1_000_000)
    configuration.maximumValueBytes = reader.value(
      "max-value-bytes", flag: maxValueBytes, default: configuration.maximumValueBytes,
      allowed: "a number of bytes from 1 to 5TiB, such as 512MiB"
    ) { ByteCount.parse($0).flatMap { (1...5 << 40).contains($0) ? $0 : nil } }
    configuration.isEveryRequestLogged = reader.bool("access-log", flag: accessLog, default: false)
    access.resolve(&reader, &configuration)
    return configuration
  }
}

/// How http-kvs serves.
package struct KeyValueConfiguration: Sendable {
  package var store: StoreConfiguration
  var address = ListenAddress.tcp(host: "127.0.0.1", port: 8080)
  var monitorAddress = ListenAddress.tcp(host: "127.0.0.1", port: 8081)
  var gracePeriod = Duration.seconds(10)
  var lameDuck = Duration.seconds(1)
  var keepsAlive = true
  var idleTimeout = Duration.seconds(120)
  var maximumConnections = 16_384
  var maximumValueBytes = 5 << 30
  var isEveryRequestLogged = false
  var tokensFile: String?
  var trustedField: String?
  var crossOrigin = CrossOrigin()

  init(store: StoreConfiguration) { self.store = store }

  /// Says at start what people should know.
  package func warn(_ logger: Logger) {
    store.warn(logger)
    let isGuarded = tokensFile != nil || trustedField != nil
    if !isGuarded, !address.isLoopback {
      logger.warning(
        "everybody who can connect may do everything", metadata: ["address": "\(address)"])
    }
  }
}
