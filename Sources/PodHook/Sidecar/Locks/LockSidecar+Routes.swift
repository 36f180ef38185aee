import Coordination
package import ServiceKit

extension LockSidecar {
  /// The lock's public id in a path keeps probes apart that another Pod on the same address was
  /// meant to get.
  package func routes(
    registry: PrometheusRegistry, wallClock: @escaping @Sendable () -> (seconds: Int, ms: Int)
  ) -> MonitorRoutes {
    let id = configuration.token.publicID
    var routes = MonitorRoutes()
    routes.add("/startupz/\(id)") { [self] _ in
      guard view.status(at: time.now).isHeld else { return .unavailable("waiting for the lock") }
      return view.isOpen ? .text("open") : .unavailable("the lock is held, the gate opens soon")
    }
    routes.add("/held/\(id)") { [self] _ in
      view.status(at: time.now).isHeld ? .text("held") : .unavailable("the lock is not held")
    }
    routes.add("/lock") { [self] _ in .json(lockStatus(wallClock())) }
    routes.addMetrics(registry)
    return routes
  }

  private func lockStatus(_ wallClock: (seconds: Int, ms: Int)) -> [UInt8] {
    let now = time.now
    let status = view.status(at: now)
    return HoldingDocument(
      key: configuration.key, isHeld: status.isHeld, fencingToken: status.fencingToken,
      validUntil: status.validUntil
    ).encoded(now: now, wallClock: wallClock)
  }
}
