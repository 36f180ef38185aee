import JSON
import Tracing

/// Encodes spans as OTLP's JSON: `ExportTraceServiceRequest`.
///
/// Ids are hexadecimal and 64-bit numbers are strings, see
/// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
struct OTLPEncoder {
  /// The longest text of an attribute, in bytes; the rest is cut.
  private static let longestText = 4096

  private var writer = JSONWriter(reserving: 4096)

  static func encode(
    _ spans: [SpanRecord], resource: [(name: String, value: String)]
  ) -> [UInt8] {
    var encoder = OTLPEncoder()
    encoder.request(spans, resource)
    return encoder.writer.bytes
  }

  private mutating func request(
    _ spans: [SpanRecord], _ resource: [(name: String, value: String)]
  ) {
    writer.beginObject()
    beginArray("resourceSpans")
    writer.beginObject()
    writer.key("resource")
    writer.beginObject()
    beginArray("attributes")
    for attribute in resource { pair(attribute.name, .string(attribute.value)) }
    writer.endArray()
    writer.endObject()
    beginArray("scopeSpans")
    writer.beginObject()
    writer.object("scope") { $0.field("name", "hippocampus") }
    beginArray("spans")
    for span in spans { self.span(span) }
    writer.endArray()
    writer.endObject()
    writer.endArray()
    writer.endObject()
    writer.endArray()
    writer.endObject()
  }

  private mutating func span(_ span: SpanRecord) {
    writer.beginObject()
    identity(span.context)
    if let parent = span.parent { writer.field("parentSpanId", parent.description) }
    writer.field("name", span.name)
    writer.field("kind", Self.number(of: span.kind))
    writer.field("startTimeUnixNano", span.start.description)
    writer.field("endTimeUnixNano", span.end.description)
    writer.field("flags", 1)
    attributes(span.attributes)
    events(span.events)
    if span.droppedEvents > 0 { writer.field("droppedEventsCount", span.droppedEvents) }
    links(span.links)
    if span.droppedLinks > 0 { writer.field("droppedLinksCount", span.droppedLinks) }
    if let status = span.status { self.status(status) }
    writer.endObject()
  }

  private mutating func identity(_ trace: TraceContext) {
    writer.field("traceId", trace.traceID.description)
    writer.field("spanId", trace.spanID.description)
    if !trace.state.isEmpty { writer.field("traceState", trace.state.header) }
  }

  private mutating func events(_ events: [SpanEvent]) {
    guard !events.isEmpty else { return }
    beginArray("events")
    for event in events {
      writer.beginObject()
      writer.field("timeUnixNano", event.nanosecondsSinceEpoch.description)
      writer.field("name", event.name)
      attributes(event.attributes)
      writer.endObject()
    }
    writer.endArray()
  }

  private mutating func links(_ links: [SpanLink]) {
    guard !links.isEmpty else { return }
    beginArray("links")
    for link in links {
      guard let trace = link.context.traceContext else { continue }
      writer.beginObject()
      identity(trace)
      attributes(link.attributes)
      writer.endObject()
    }
    writer.endArray()
  }

  private mutating func status(_ status: SpanStatus) {
    writer.key("status")
    writer.beginObject()
    writer.field("code", status.code == .ok ? 1 : 2)
    if let message = status.message { writer.field("message", Self.cut(message)) }
    writer.endObject()
  }

  private mutating func attributes(_ attributes: SpanAttributes) {
    guard !attributes.isEmpty else { return }
    beginArray("attributes")
    var pairs: [(String, SpanAttribute)] = []
    attributes.forEach { pairs.append(($0, $1)) }
    pairs.sort { $0.0 < $1.0 }
    for (name, value) in pairs.prefix(SpanRecord.mostDetails) { pair(name, value) }
    writer.endArray()
    let dropped = pairs.count - SpanRecord.mostDetails
    if dropped > 0 { writer.field("droppedAttributesCount", dropped) }
  }

  private mutating func pair(_ name: String, _ value: SpanAttribute) {
    writer.beginObject()
    writer.field("key", name)
    writer.key("value")
    self.value(value)
    writer.endObject()
  }

  private mutating func value(_ value: SpanAttribute) {
    writer.beginObject()
    switch value {
    case .int32(let number): writer.field("intValue", number.description)
    case .int64(let number): writer.field("intValue", number.description)
    case .double(let number): double(number)
    case .bool(let flag): writer.field("boolValue", flag)
    case .string(let text): writer.field("stringValue", Self.cut(text))
    case .stringConvertible(let thing): writer.field("stringValue", Self.cut(thing.description))
    case .int32Array(let numbers): array(numbers.map { .int64(Int64($0)) })
    case .int64Array(let numbers): array(numbers.map { .int64($0) })
    case .doubleArray(let numbers): array(numbers.map { .double($0) })
    case .boolArray(let flags): array(flags.map { .bool($0) })
    case .stringArray(let texts): array(texts.map { .string($0) })
    case .stringConvertibleArray(let things): array(things.map { .string($0.description) })
    default: break
    }
    writer.endObject()
  }

  private mutating func array(_ values: [SpanAttribute]) {
    writer.key("arrayValue")
    writer.beginObject()
    beginArray("values")
    for value in values.prefix(SpanRecord.mostDetails) { self.value(value) }
    writer.endArray()
    writer.endObject()
  }

  private mutating func double(_ number: Double) {
    writer.key("doubleValue")
    if number.isFinite {
      writer.double(number)
    } else {
      writer.string(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
    }
  }

  private mutating func beginArray(_ key: String) {
    writer.key(key)
    writer.beginArray()
  }

  private static func number(of kind: SpanKind) -> Int {
    switch kind {
    case .internal: 1
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    }
  }

  private static func cut(_ text: String) -> String {
    text.utf8.count <= longestText
      ? text : String(decoding: text.utf8.prefix(longestText), as: UTF8.self)
  }
}
