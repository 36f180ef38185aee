package import NIOCore
package import NIOHTTP1

/// What is asked of a server.
package struct HTTPUpstreamRequest: Sendable {
  package enum Body: Sendable {
    case none
    /// All there is.
    case bytes([ByteBuffer])
    /// What a source gives; of this length, or chunked.
    case stream(length: Int?)
  }

  package var method: HTTPMethod
  /// Path and query, as they are sent.
  package var target: String
  /// Without those that frame the body. `Host` is added where it is missing.
  package var headers: HTTPHeaders
  package var body: Body
  /// Whether asking twice does no more than asking once: then a request that met a connection which
  /// the server was just closing is sent once more. Bodies from a source are never sent twice.
  package var isRepeatable: Bool
  /// When the head of the answer has to be there at the latest, beside the limits that the client
  /// has for all requests.
  package var deadline: NIODeadline?
  /// In place of the one that the client has for all requests.
  package var answerTimeout: Duration?

  package init(
    _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = HTTPHeaders(),
    body: Body = .none, isRepeatable: Bool? = nil, deadline: NIODeadline? = nil,
    answerTimeout: Duration? = nil
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
    self.isRepeatable =
      isRepeatable ?? [.GET, .HEAD, .PUT, .DELETE, .OPTIONS, .TRACE].contains(method)
    self.deadline = deadline
    self.answerTimeout = answerTimeout
  }

  var canBeSentAgain: Bool {
    if case .stream = body { false } else { isRepeatable }
  }

  func head(for origin: HTTPOrigin) -> HTTPRequestHead {
    var headers = headers
    if !headers.contains(name: "host") { headers.add(name: "Host", value: origin.authority) }
    switch body {
    case .none where method == .PUT || method == .POST:
      headers.add(name: "Content-Length", value: "0")
    case .none: break
    case .bytes(let buffers):
      let length = buffers.reduce(0) { $0 + $1.readableBytes }
      headers.add(name: "Content-Length", value: String(length))
    case .stream(let length?): headers.add(name: "Content-Length", value: String(length))
    case .stream(nil): headers.add(name: "Transfer-Encoding", value: "chunked")
    }
    return HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
  }
}

/// Where the body of a request comes from.
package protocol HTTPUpstreamSource: AnyObject {
  /// The next bytes; nil at the end.
  func next() async throws -> ByteBuffer?
}
