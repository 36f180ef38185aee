package import Logging
import Metrics
package import ServiceKit

/// Logs, metrics and traces of the process.
package struct KeyValueTelemetry: Sendable {
  package let logger: Logger
  let registry: PrometheusRegistry
  let tracer: OTLPTracer
  /// Nil unless the environment says where traces go.
  let exporter: OTLPExporter?

  /// Sets logs and metrics up for the whole process. Call once, first of all.
  package init(bootstrap level: Logger.Level, traces: OTLPConfiguration?) {
    JSONLogHandler.bootstrap(level: level)
    registry = PrometheusRegistry()
    for (name, help) in Self.helps { registry.describe(name, help: help) }
    MetricsSystem.bootstrap(registry)
    let logger = Logger(label: "http-kvs")
    self.logger = logger
    exporter = traces.map { OTLPExporter($0, logger: logger) }
    tracer = OTLPTracer(exporter: exporter)
  }

  private static let helps = [
    "kvs_requests_total":
      "Requests by method and class of their status; none: it broke off; other: also what is no request.",
    "kvs_request_duration_seconds": "Time from the head of a request to the end of its answer.",
    "kvs_received_bytes_total": "Bytes of values that clients sent.",
    "kvs_sent_bytes_total": "Bytes of values and other content that clients were sent.",
    "kvs_requests_in_flight": "Requests that have no whole answer yet.",
    "kvs_connections": "Open connections of clients.",
    "kvs_store_errors_total": "Operations that the store did not do, by kind.",
    "kvs_tokens_file_errors_total": "Changes of the tokens file that could not be used.",
  ]
}
