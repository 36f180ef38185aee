package import NIOCore

/// What clients of an ``HTTPServer`` may use up.
package struct HTTPServerLimits: Sendable {
  /// Connections at one time. Further ones take the place of those that have been idle for the
  /// longest time, or whose clients have kept an answer or a body waiting for the longest time, 10 s
  /// at least; if there are none, they are closed at once.
  package var connections = 16_384
  /// Request line and fields.
  package var headBytes = 64 * 1024
  /// From the start of a connection, or the first byte of a later request, to the end of a head. A
  /// new connection that says nothing is closed when this or the idle timeout is over.
  package var headTimeout: TimeAmount = .seconds(30)
  /// Between two requests, and for a body or an answer that does not move on at all: a slow client
  /// costs what is buffered for it.
  package var idleTimeout: TimeAmount = .seconds(120)
  /// False: one request for each connection.
  package var keepsAlive = true
  /// Bytes of a body that wait for the service, and of an answer that wait for the client; more
  /// than a chunk beyond it never does.
  package var bufferedBytes = 256 * 1024

  /// `Allow` of the answer to a method that HTTP does not know; nil: it is no request.
  package var allowedMethods: String?

  package init() {}

  /// The most bytes that are read at once.
  var readBytes: Int { 64 * 1024 }
  /// How long the client of a busy connection may keep it waiting when others find no place.
  var evictionTime: TimeAmount = .seconds(10)
  /// How long a connection whose request was not read to the end is kept for the answer to arrive.
  var lingerTimeout: TimeAmount { .seconds(5) }
}
