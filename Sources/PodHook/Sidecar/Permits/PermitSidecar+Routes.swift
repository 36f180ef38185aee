import Coordination
package import ServiceKit

extension PermitSidecar {
  package func routes(
    registry: PrometheusRegistry, wallClock: @escaping @Sendable () -> (seconds: Int, ms: Int)
  ) -> MonitorRoutes {
    let id = configuration.token.publicID
    var routes = MonitorRoutes()
    routes.add("/startupz/\(id)") { [self] _ in
      guard view.isHeld else { return .unavailable("waiting for a permit") }
      return view.isOpen ? .text("open") : .unavailable("the permit is held, the gate opens soon")
    }
    routes.add("/held/\(id)") { [self] _ in
      view.isHeld ? .text("held") : .unavailable("the permit is not held")
    }
    routes.add("/lock") { [self] _ in
      let heartbeatAt = view.heartbeatAt
      let document = HoldingDocument(
        key: configuration.key, isHeld: view.isHeld, fencingToken: nil,
        validUntil: heartbeatAt.map { $0 + store.staleAfter })
      return .json(document.encoded(now: time.now, wallClock: wallClock()))
    }
    routes.addMetrics(registry)
    return routes
  }
}
