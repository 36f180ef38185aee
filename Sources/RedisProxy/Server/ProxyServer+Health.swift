import NIOCore
package import ServiceKit

extension ProxyServer {
  /// Ready while there is a connection to the primary on each event loop.
  package var readinessCheck: HealthCheck {
    HealthCheck("primary") { [self] in
      for lane in lanes {
        let isReady = try? await lane.eventLoop.submit {
          lane.value.pools.values.contains {
            $0.key.role == .primary && $0.shared.all.contains(where: \.isOpen)
          }
        }.get()
        guard isReady == true else {
          return .unhealthy("there is no connection to the primary")
        }
      }
      return .healthy
    }
  }
}
