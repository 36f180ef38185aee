package import Tracing

/// Traces by W3C trace context; spans go to an ``OTLPExporter`` if there is one.
///
/// Without an exporter nothing is recorded or allocated: the trace that came in is passed on
/// unchanged, to logs and to what is called.
package struct OTLPTracer: Tracer {
  package typealias Span = OTLPSpan

  private let sampler: TraceSampler
  private let queue: SpanQueue?
  private let random: @Sendable () -> UInt64

  /// - Parameters:
  ///   - exporter: takes the spans, and must run for that; `nil`: none are recorded.
  ///   - random: makes ids.
  package init(
    exporter: OTLPExporter?,
    random: @escaping @Sendable () -> UInt64 = { .random(in: .min ... .max) }
  ) {
    self.sampler = exporter?.configuration.sampler ?? TraceSampler(.parentAlwaysOff)
    self.queue = exporter?.queue
    self.random = random
  }

  package func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext,
    ofKind kind: SpanKind, at instant: @autoclosure () -> Instant, function: String,
    file fileID: String, line: UInt
  ) -> OTLPSpan {
    var context = context()
    guard let queue else { return OTLPSpan(context: context) }
    let parent = context.traceContext
    let traceID = parent?.traceID ?? newTraceID()
    let trace = TraceContext(
      traceID: traceID, spanID: newSpanID(), isSampled: sampler.records(traceID, parent: parent),
      state: parent?.state ?? TraceState())
    context.traceContext = trace
    guard trace.isSampled else { return OTLPSpan(context: context) }
    let span = SpanRecord(
      context: trace, parent: parent?.spanID, kind: kind, name: operationName,
      start: instant().nanosecondsSinceEpoch)
    return OTLPSpan(context: context, recording: .init(span, queue: queue))
  }

  package func startAnySpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext,
    ofKind kind: SpanKind, at instant: @autoclosure () -> Instant, function: String,
    file fileID: String, line: UInt
  ) -> any Tracing.Span {
    startSpan(
      operationName, context: context(), ofKind: kind, at: instant(), function: function,
      file: fileID, line: line)
  }

  /// Does nothing: the exporter flushes when it is shut down.
  package func forceFlush() {}

  private func newTraceID() -> TraceID {
    while true {
      if let id = TraceID(high: random(), low: random()) { return id }
    }
  }

  private func newSpanID() -> SpanID {
    while true {
      if let id = SpanID(random()) { return id }
    }
  }
}

extension OTLPTracer {
  package func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let traceparent = extractor.extract(key: "traceparent", from: carrier),
      let trace = TraceContext(
        traceparent: traceparent, tracestate: extractor.extract(key: "tracestate", from: carrier))
    else { return }
    context.traceContext = trace
  }

  package func inject<Carrier, Inject: Injector>(
    _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let trace = context.traceContext else { return }
    injector.inject(trace.traceparent, forKey: "traceparent", into: &carrier)
    if !trace.state.isEmpty {
      injector.inject(trace.state.header, forKey: "tracestate", into: &carrier)
    }
  }
}
