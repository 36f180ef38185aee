import Metrics
import NIOHTTP1
import ServiceKit
import Testing
import Tracing

@Suite(.timeLimit(.minutes(2))) struct OTLPExporterTests {
  private let registry = PrometheusRegistry()
  private let lines = Collected<[UInt8]>()

  private func exporter(
    _ endpoint: String, _ change: (inout OTLPConfiguration) -> Void = { _ in }
  ) -> OTLPExporter {
    var configuration = OTLPConfiguration(endpoint: endpoint, serviceName: "hook")
    configuration.batchDelay = .milliseconds(10)
    configuration.retryDelay = .milliseconds(10)
    change(&configuration)
    return OTLPExporter(configuration, metrics: registry, logger: lines.logger())
  }

  private func exposed(_ line: String) -> Bool {
    String(decoding: registry.expose(), as: UTF8.self).contains("\n" + line + "\n")
  }

  private func spans(_ request: Collector.Request) throws -> [JSONText] {
    let body = try JSONText(parsing: request.body)
    return body["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?.elements ?? []
  }

  @Test func sendsASpanWithAllItHas() async throws {
    try await Collector.with { collector in
      let exporter = exporter(collector.endpoint) {
        $0.headers = [("authorization", Secret("Bearer abc"))]
        $0.resource.append(("k8s.pod.name", "p"))
      }
      let tracer = OTLPTracer(exporter: exporter)
      var context = InstrumentationContext.topLevel
      context.traceContext = TraceContext(
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate: "a=1")
      let span = tracer.startSpan(
        "admit", context: context, ofKind: .server,
        at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1000))
      span.attributes["key"] = "ns/k"
      span.attributes["count"] = 3
      span.attributes["ratio"] = Double.nan
      span.attributes["ok"] = true
      span.attributes["list"] = ["x", "y"]
      span.addEvent(
        SpanEvent(
          name: "taken", at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1500)))
      span.addLink(SpanLink(context: context, attributes: [:]))
      span.setStatus(SpanStatus(code: .error, message: "no quorum"))
      span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 2000))
      span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 3000))
      span.attributes["late"] = 1

      let request = try await withServices(exporter) { await collector.requests.first(1)[0] }
      #expect(request.uri == "/v1/traces")
      #expect(request.headers["authorization"] == ["Bearer abc"])
      #expect(request.headers["content-type"] == ["application/json"])
      #expect(request.headers["traceparent"].isEmpty)
      let wanted = """
        {"resourceSpans":[{"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"hook"}},
        {"key":"k8s.pod.name","value":{"stringValue":"p"}}]},
        "scopeSpans":[{"scope":{"name":"hippocampus"},"spans":[{
        "traceId":"0af7651916cd43dd8448eb211c80319c",
        "spanId":"\(span.context.traceContext?.spanID.description ?? "")","traceState":"a=1",
        "parentSpanId":"b7ad6b7169203331","name":"admit","kind":2,
        "startTimeUnixNano":"1000","endTimeUnixNano":"2000","flags":1,"attributes":[
        {"key":"count","value":{"intValue":"3"}},{"key":"key","value":{"stringValue":"ns/k"}},
        {"key":"list","value":{"arrayValue":{"values":[{"stringValue":"x"},{"stringValue":"y"}]}}},
        {"key":"ok","value":{"boolValue":true}},{"key":"ratio","value":{"doubleValue":"NaN"}}],
        "events":[{"timeUnixNano":"1500","name":"taken"}],
        "links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",
        "traceState":"a=1"}],"status":{"code":2,"message":"no quorum"}}]}]}]}
        """
      #expect(try JSONText(parsing: request.body) == JSONText(parsing: wanted.utf8))
      #expect(collector.requests.all.count == 1)
      #expect(exposed("otlp_spans_exported_total 1"))
    }
  }

  @Test func childrenShareTheTraceAndErrorsAreRecorded() async throws {
    struct Broken: Error {}
    try await Collector.with { collector in
      let exporter = exporter(collector.endpoint)
      let tracer = OTLPTracer(exporter: exporter)
      #expect(throws: Broken.self) {
        try tracer.withSpan("parent") { _ in try tracer.withSpan("child") { _ in throw Broken() } }
      }
      let request = try await withServices(exporter) { await collector.requests.first(1)[0] }
      let spans = try spans(request)
      let child = try #require(spans.first)
      let parent = try #require(spans.last)
      #expect(child["name"] == .string("child") && parent["name"] == .string("parent"))
      #expect(child["traceId"] == parent["traceId"] && child["parentSpanId"] == parent["spanId"])
      #expect(parent["parentSpanId"] == nil && parent["kind"] == .number(1))
      #expect(child["status"]?["code"] == .number(2))
      #expect(child["events"]?[0]?["name"] == .string("exception"))
    }
  }

  @Test func spansThatAreNotSampledAreNotRecordedButPassedOn() {
    let exporter = exporter("http://127.0.0.1:1") { $0.sampler = TraceSampler(.alwaysOff) }
    let span = OTLPTracer(exporter: exporter).startSpan("work", context: .topLevel)
    #expect(!span.isRecording)
    #expect(span.context.traceContext?.isSampled == false)
  }

  @Test func aFullQueueDropsAndCounts() async throws {
    try await Collector.with { collector in
      let exporter = exporter(collector.endpoint) { $0.queueCapacity = 3 }
      let tracer = OTLPTracer(exporter: exporter)
      for _ in 0..<5 { tracer.startSpan("s", context: .topLevel).end() }
      #expect(exposed("otlp_spans_dropped_total{reason=\"queue_full\"} 2"))
      try await withServices(exporter) { _ = await collector.requests.first(1) }
      #expect(exposed("otlp_spans_exported_total 3"))
    }
  }

  @Test func sendsWholeBatchesWithoutWaiting() async throws {
    try await Collector.with { collector in
      let exporter = exporter(collector.endpoint) {
        $0.batchSize = 2
        $0.batchDelay = .seconds(3600)
      }
      let tracer = OTLPTracer(exporter: exporter)
      try await withServices(exporter) {
        for _ in 0..<4 { tracer.startSpan("s", context: .topLevel).end() }
        _ = await collector.requests.first(1)
        tracer.startSpan("last", context: .topLevel).end()
      }
      let counts = try collector.requests.all.map { try spans($0).count }
      #expect(counts.reduce(0, +) == 5 && counts.allSatisfy { $0 <= 2 })
    }
  }

  @Test(arguments: [HTTPResponseStatus.tooManyRequests, .serviceUnavailable, .badGateway])
  func triesAgainWhenTheCollectorIsBusy(status: HTTPResponseStatus) async throws {
    try await Collector.with({
      $0 < 2 ? .status(status, headers: ["Retry-After": "0"]) : .status(.ok)
    }) {
      collector in
      let exporter = exporter(collector.endpoint)
      try await withServices(exporter) {
        OTLPTracer(exporter: exporter).startSpan("s", context: .topLevel).end()
        let requests = await collector.requests.first(3)
        #expect(requests[0].body == requests[2].body)
      }
      #expect(exposed("otlp_spans_exported_total 1"))
      #expect(lines.lines.count == 2 && lines.lines[0].contains("cannot be exported"))
    }
  }

  @Test func givesUpOnWhatTheCollectorDoesNotWant() async throws {
    try await Collector.with({ _ in .status(.internalServerError) }) { collector in
      let exporter = exporter(collector.endpoint)
      let tracer = OTLPTracer(exporter: exporter)
      try await withServices(exporter) {
        tracer.startSpan("a", context: .topLevel).end()
        _ = await collector.requests.first(1)
        tracer.startSpan("b", context: .topLevel).end()
        _ = await collector.requests.first(2)
      }
      #expect(exposed("otlp_spans_dropped_total{reason=\"rejected\"} 2"))
      #expect(lines.lines.count == 1)
      #expect(collector.requests.all.count == 2)
    }
  }

  @Test func aCollectorThatHangsCostsADeadlineAndTheShutdownStaysBounded() async throws {
    try await Collector.with({ _ in .silence }) { collector in
      let exporter = exporter(collector.endpoint) {
        $0.timeout = .milliseconds(100)
        $0.flushTimeout = .milliseconds(100)
        $0.retries = 1
      }
      let tracer = OTLPTracer(exporter: exporter)
      try await withServices(exporter) {
        tracer.startSpan("a", context: .topLevel).end()
        _ = await collector.requests.first(2)
        tracer.startSpan("b", context: .topLevel).end()
      }
      #expect(exposed("otlp_spans_exported_total 0"))
      #expect(exposed("otlp_spans_dropped_total{reason=\"unreachable\"} 2"))
    }
  }

  @Test func nobodyListeningIsNoFailure() async throws {
    let exporter = exporter("http://127.0.0.1:1/v1/traces") { $0.flushTimeout = .milliseconds(200) }
    try await withServices(exporter) {
      OTLPTracer(exporter: exporter).startSpan("a", context: .topLevel).end()
      _ = await lines.first(1)
    }
    #expect(exposed("otlp_spans_dropped_total{reason=\"unreachable\"} 1"))
  }

  @Test func shutdownSendsWhatIsLeft() async throws {
    try await Collector.with { collector in
      let exporter = exporter(collector.endpoint) { $0.batchDelay = .seconds(3600) }
      let tracer = OTLPTracer(exporter: exporter)
      try await withServices(exporter) { tracer.startSpan("a", context: .topLevel).end() }
      #expect(exposed("otlp_spans_exported_total 1"))
    }
  }

  @Test func anIdleExporterEndsAtOnce() async throws {
    let exporter = exporter("http://127.0.0.1:1/v1/traces")
    try await withServices(exporter) {}
    #expect(lines.all.isEmpty)
  }
}
