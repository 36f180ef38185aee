package import NIOCore
package import NIOHTTP1

/// An answer that has begun.
///
/// Belongs to one task. It holds a connection until its body was read, or until it is closed or
/// forgotten: then a short rest is read and dropped, and a long one costs the connection.
package final class HTTPUpstreamResponse {
  package let status: Int
  package let headers: HTTPHeaders
  private let exchange: HTTPExchange

  init(_ head: HTTPResponseHead, _ exchange: HTTPExchange) {
    status = Int(head.status.code)
    headers = head.headers
    self.exchange = exchange
  }

  deinit { exchange.abandon() }

  /// The next bytes of the body; nil at the end of a body that is whole.
  ///
  /// - Throws: when the rest does not come, comes too late, or breaks off.
  package func next() async throws(HTTPUpstreamError) -> ByteBuffer? { try await exchange.next() }

  /// The rest of the body.
  ///
  /// - Parameter limit: in bytes; more than that is an error (`malformed`).
  package func collect(upTo limit: Int) async throws(HTTPUpstreamError) -> ByteBuffer {
    var body = ByteBuffer()
    while var part = try await next() {
      guard body.readableBytes + part.readableBytes <= limit else {
        close()
        throw exchange.error(.malformed, "an answer has more than \(limit) bytes")
      }
      if body.readableBytes == 0 { body = part } else { body.writeBuffer(&part) }
    }
    return body
  }

  /// Says that no more of the body is wanted.
  package func close() { exchange.abandon() }

  /// The first value of a field.
  package func header(_ name: String) -> String? { headers.first(name: name) }
}
