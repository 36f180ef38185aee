package import NIOHTTP1

/// A request to a ``MonitorServer``; its body, if any, was dropped.
package struct MonitorRequest: Sendable {
  package let method: HTTPMethod

  /// The path as it was sent: no query, escapes not resolved.
  package let path: String

  /// What follows `?`; `nil` without one.
  package let query: String?

  package let headers: HTTPHeaders

  package init(method: HTTPMethod = .GET, uri: String, headers: HTTPHeaders = [:]) {
    self.method = method
    self.headers = headers
    if let mark = uri.firstIndex(of: "?") {
      path = String(uri[..<mark])
      query = String(uri[uri.index(after: mark)...])
    } else {
      path = uri
      query = nil
    }
  }
}

/// The answer of a ``MonitorServer``; its length and the connection's fate are added on the way.
package struct MonitorResponse: Sendable {
  package var status: HTTPResponseStatus
  package var headers: HTTPHeaders
  package var body: [UInt8]

  package init(
    status: HTTPResponseStatus = .ok, contentType: String, body: [UInt8],
    headers: HTTPHeaders = [:]
  ) {
    self.status = status
    self.headers = headers
    self.headers.replaceOrAdd(name: "Content-Type", value: contentType)
    self.body = body
  }

  /// One line of text for people.
  package static func text(
    _ text: String, status: HTTPResponseStatus = .ok, headers: HTTPHeaders = [:]
  ) -> MonitorResponse {
    MonitorResponse(
      status: status, contentType: "text/plain; charset=utf-8", body: Array((text + "\n").utf8),
      headers: headers)
  }

  /// Bytes that are one JSON value.
  package static func json(
    _ bytes: [UInt8], status: HTTPResponseStatus = .ok
  ) -> MonitorResponse {
    MonitorResponse(status: status, contentType: "application/json", body: bytes)
  }
}
