package import EtcdClient
package import Logging
import Metrics
package import NIOCore

extension EtcdClient {
  /// A client that counts what its members do: `lock_store_errors_total` and
  /// `lock_store_duration_seconds`, by node.
  package static func measured(
    configuration: EtcdConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger
  ) -> EtcdClient {
    var meters: [EtcdAddress: (errors: Counter, duration: Metrics.Timer)] = [:]
    for address in configuration.addresses {
      let dimensions = [("node", address.description)]
      meters[address] = (
        Counter(label: "lock_store_errors_total", dimensions: dimensions),
        Timer(label: "lock_store_duration_seconds", dimensions: dimensions)
      )
    }
    var configuration = configuration
    configuration.observer = { [meters] attempt in
      guard let meter = meters[attempt.member] else { return }
      if attempt.isFailure {
        meter.errors.increment()
      } else {
        meter.duration.record(duration: attempt.duration)
      }
    }
    return EtcdClient(
      configuration: configuration, eventLoopGroup: eventLoopGroup, logger: logger)
  }
}
