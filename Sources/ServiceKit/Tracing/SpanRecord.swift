import Tracing

/// A span that has ended: what is exported.
struct SpanRecord: Sendable {
  /// How much of each kind a span keeps, as the specification's default; the rest is counted.
  static let mostDetails = 128

  var context: TraceContext
  var parent: SpanID?
  var kind: SpanKind
  var name: String
  /// Nanoseconds since 1970, as the end.
  var start: UInt64
  var end: UInt64 = 0
  var attributes: SpanAttributes = [:]
  var events: [SpanEvent] = []
  var droppedEvents = 0
  var links: [SpanLink] = []
  var droppedLinks = 0
  var status: SpanStatus?
}
