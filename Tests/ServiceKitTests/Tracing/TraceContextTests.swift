import NIOHTTP1
import ServiceKit
import Testing
import Tracing

@Suite struct TraceContextTests {
  private static let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  @Test func readsAndWritesTraceparent() throws {
    let trace = try #require(TraceContext(traceparent: Self.valid))
    #expect(trace.traceID.description == "0af7651916cd43dd8448eb211c80319c")
    #expect(trace.spanID.description == "b7ad6b7169203331")
    #expect(trace.isSampled && trace.state.isEmpty)
    #expect(trace.traceparent == Self.valid)
  }

  @Test(arguments: [("00", false), ("01", true), ("02", false), ("ff", true)])
  func onlyTheSampledFlagCounts(flags: String, isSampled: Bool) throws {
    let trace = try #require(TraceContext(traceparent: Self.valid.dropLast(2) + flags))
    #expect(trace.isSampled == isSampled)
    #expect(trace.traceparent.hasSuffix(isSampled ? "-01" : "-00"))
  }

  @Test(arguments: [
    "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings",
  ])
  func readsLaterVersions(text: String) { #expect(TraceContext(traceparent: text) != nil) }

  @Test(arguments: [
    "", "00", Self.valid + "-", Self.valid + "-00", Self.valid + " ", " " + Self.valid,
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
    "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
    "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
    "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033311-01",
    ".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ])
  func refusesWhatTheSpecificationDoes(text: String) {
    #expect(TraceContext(traceparent: text) == nil)
  }

  @Test(arguments: [
    ("foo=1", "foo=1"), ("foo=1,bar=2", "foo=1,bar=2"), ("foo=1 ,\t bar=2", "foo=1,bar=2"),
    ("foo=1,,bar=2,", "foo=1,bar=2"), ("", ""), ("t-1@sys=a b", "t-1@sys=a b"),
    ("0t@sys=1", "0t@sys=1"), ("a_-*/0=!~", "a_-*/0=!~"),
  ])
  func readsTracestate(header: String, wanted: String) throws {
    #expect(try #require(TraceState(header: header)).header == wanted)
  }

  @Test(arguments: [
    "foo", "=1", "foo=", "Foo=1", "0foo=1", "foo =1", "foo=1,foo=2", "foo=a=b", "foo=é", "foo@=1",
    "@foo=1", "a@b@c=1", "a@0b=1", "foo=\u{7f}", String(repeating: "z", count: 257) + "=1",
    "foo=" + String(repeating: "z", count: 257), "t@" + String(repeating: "s", count: 15) + "=1",
    (0..<33).map { "k\($0)=1" }.joined(separator: ","),
  ])
  func dropsATracestateThatIsNotValidAlone(header: String) throws {
    #expect(TraceState(header: header) == nil)
    let trace = try #require(TraceContext(traceparent: Self.valid, tracestate: header))
    #expect(trace.state.isEmpty)
  }

  @Test func tooMuchTracestateLosesLongMembersFirstThenTheLast() throws {
    let long = "long=" + String(repeating: "x", count: 200)
    let short = (0..<30).map { "key\($0)=" + String(repeating: "x", count: 12) }
    let state = try #require(TraceState(header: ([long] + short).joined(separator: ",")))
    #expect(state.header.utf8.count <= 512)
    #expect(!state.header.contains("long=") && state.header.hasPrefix("key0="))
  }

  @Test func propagatesThroughHeaders() {
    let tracer = OTLPTracer(exporter: nil)
    var headers: HTTPHeaders = [
      "Traceparent": Self.valid, "tracestate": "a=1", "Tracestate": "b=2",
    ]
    var context = InstrumentationContext.topLevel
    tracer.extract(headers, into: &context, using: HTTPHeadersExtractor())
    headers = ["traceparent": "old"]
    tracer.inject(context, into: &headers, using: HTTPHeadersInjector())
    #expect(headers["traceparent"] == [Self.valid])
    #expect(headers["tracestate"] == ["a=1,b=2"])
  }

  @Test func nothingIsPropagatedWithoutATrace() {
    let tracer = OTLPTracer(exporter: nil)
    var headers: HTTPHeaders = ["traceparent": Self.valid, "Traceparent": Self.valid]
    var context = InstrumentationContext.topLevel
    tracer.extract(headers, into: &context, using: HTTPHeadersExtractor())
    #expect(context.traceContext == nil)
    headers = [:]
    tracer.inject(context, into: &headers, using: HTTPHeadersInjector())
    #expect(headers.isEmpty)
  }

  @Test func withoutAnExporterTheIncomingTraceFlowsOnUnchanged() {
    let tracer = OTLPTracer(exporter: nil, random: { fatalError("no ids are made") })
    var context = InstrumentationContext.topLevel
    context.traceContext = TraceContext(traceparent: Self.valid)
    let span = tracer.startSpan("work", context: context)
    #expect(!span.isRecording)
    span.attributes["a"] = 1
    span.addEvent("e")
    span.recordError(CancellationError())
    span.end()
    #expect(span.context.traceContext?.traceparent == Self.valid)
    #expect(tracer.startSpan("work", context: .topLevel).context.isEmpty)
  }
}
