import Coordination
import JSON
import NIOHTTP1
package import ServiceKit

extension LockSidecar {
  /// What the sidecar answers to the kubelet and to its Pod.
  ///
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
    var writer = JSONWriter(reserving: 128)
    writer.object { lock in
      lock.field("key", configuration.key.description)
      lock.field("held", status.isHeld)
      if let fencingToken = status.fencingToken, let validUntil = status.validUntil {
        let left = (validUntil - now).components
        let milliseconds =
          wallClock.ms + Int(left.attoseconds / 1_000_000_000_000_000)
          + (wallClock.seconds + Int(left.seconds)) * 1000
        lock.field("fencingToken", fencingToken)
        lock.field(
          "expiresAt",
          LogTimestamp.text(seconds: milliseconds / 1000, milliseconds: milliseconds % 1000))
      } else {
        lock.key("fencingToken")
        lock.null()
        lock.key("expiresAt")
        lock.null()
      }
    }
    return writer.bytes
  }
}

extension MonitorResponse {
  fileprivate static func unavailable(_ reason: String) -> MonitorResponse {
    .text(reason, status: .serviceUnavailable)
  }
}
