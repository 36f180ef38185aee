package import Logging
package import Tracing

/// Where the trace context is kept in a task's context.
private enum TraceContextKey: InstrumentationContextKey {
  typealias Value = TraceContext
  static let nameOverride: String? = "trace-context"
}

extension InstrumentationContext {
  /// The trace that the current work belongs to; `nil` if there is none.
  package var traceContext: TraceContext? {
    get { self[TraceContextKey.self] }
    set { self[TraceContextKey.self] = newValue }
  }
}

extension Logger.MetadataProvider {
  /// Adds `trace_id` and `span_id` of the current task's trace.
  package static let traceContext = Logger.MetadataProvider {
    guard let trace = InstrumentationContext.current?.traceContext else { return [:] }
    return ["trace_id": "\(trace.traceID)", "span_id": "\(trace.spanID)"]
  }
}
