import HTTPServing
import NIOHTTP1
import ServiceContextModule
import ServiceKit
import Tracing

/// Puts requests into spans if traces are exported, and into the trace of the caller if it sent one.
struct RequestTracing: Sendable {
  let tracer: OTLPTracer
  /// Whether spans go anywhere.
  let isExporting: Bool

  func run(
    _ exchange: HTTPExchange, _ body: (HTTPExchange) async throws -> HTTPResponseStatus?
  ) async throws {
    let headers = exchange.request.headers
    guard isExporting || headers.contains(name: "traceparent") else {
      _ = try await body(exchange)
      return
    }
    var context = ServiceContext.topLevel
    tracer.extract(headers, into: &context, using: HeadersExtractor())
    guard isExporting else {
      return try await ServiceContext.withValue(context) { _ = try await body(exchange) }
    }
    let method = exchange.request.method.rawValue
    try await tracer.withSpan(method, context: context, ofKind: .server) { span in
      span.attributes["http.request.method"] = method
      guard let status = try await body(exchange) else { return }
      span.attributes["http.response.status_code"] = Int(status.code)
      if status.code >= 500 { span.setStatus(.init(code: .error)) }
    }
  }
}

private struct HeadersExtractor: Extractor {
  func extract(key: String, from headers: HTTPHeaders) -> String? { headers.first(name: key) }
}
