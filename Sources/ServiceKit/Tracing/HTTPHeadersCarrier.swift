package import NIOHTTP1
import Tracing

/// Reads the trace of HTTP/1 headers.
package struct HTTPHeadersExtractor: Extractor {
  package init() {}

  package func extract(key: String, from headers: HTTPHeaders) -> String? {
    let values = headers[key]
    // Several `tracestate` headers are one list; two `traceparent` are none (not valid once joined).
    return values.count > 1 ? values.joined(separator: ",") : values.first
  }
}

/// Writes the trace into HTTP/1 headers.
package struct HTTPHeadersInjector: Injector {
  package init() {}

  package func inject(_ value: String, forKey key: String, into headers: inout HTTPHeaders) {
    headers.replaceOrAdd(name: key, value: value)
  }
}
