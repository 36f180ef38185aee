import NIOHTTP1
import PrometheusText

extension MonitorRoutes {
  /// Adds `/healthz`: 200 while all checks are healthy, else 503 and the first reason.
  ///
  /// - Parameter checks: what only a restart mends; often nothing.
  package mutating func addHealth(_ checks: [HealthCheck] = []) {
    add("/healthz") { _ in Self.response(await HealthCheck.all(checks)) }
  }

  /// Adds `/readyz`: 200 while ready, else 503 and the reason.
  package mutating func addReadiness(_ readiness: Readiness) {
    add("/readyz") { _ in Self.response(await readiness.health()) }
  }

  /// Adds `/metrics` for Prometheus.
  package mutating func addMetrics(_ registry: PrometheusRegistry) {
    add("/metrics") { _ in
      MonitorResponse(contentType: ExpositionEncoder.contentType, body: registry.expose())
    }
  }

  private static func response(_ health: Health) -> MonitorResponse {
    switch health {
    case .healthy: .text("ok")
    case .unhealthy(let reason):
      .text(OneLine.text(of: reason, limit: 500), status: .serviceUnavailable)
    }
  }
}
