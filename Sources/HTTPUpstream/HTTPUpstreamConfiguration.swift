/// Which server, over how many connections, and how long to wait for it.
package struct HTTPUpstreamConfiguration: Sendable {
  package var origin: HTTPOrigin
  /// PEM: who may sign the server's certificate; nil for the system's authorities.
  package var authorityFile: String?
  /// The most connections of each event loop.
  package var maximumConnections = 64
  /// The most requests of each event loop that wait for a connection; further ones fail at once.
  package var maximumWaiting = 1024
  /// How long a request may wait for a free connection, or for its own to open.
  package var waitTimeout = Duration.seconds(10)
  /// For TCP and TLS together.
  package var connectTimeout = Duration.seconds(3)
  /// From the end of a request until the head of its answer.
  package var answerTimeout = Duration.seconds(15)
  /// How long a body, either way, may stand still while this side is ready for more.
  package var bodyIdleTimeout = Duration.seconds(15)
  /// How long a connection stays open with nothing to do. Below what servers and balancers allow,
  /// so that seldom a request meets a connection that the server closes just then.
  package var idleTimeout = Duration.seconds(20)
  /// The largest head of an answer, and its largest field.
  package var maximumHeadBytes = 64 << 10
  /// The reading of a body stops while so much of it waits to be taken.
  package var bufferBytes = 128 << 10
  /// How long the reader of a body may stop before its connection is taken from it, if all are in use
  /// and requests wait for one; nil: as long as it likes.
  package var pauseLimit: Duration?
  /// How much of a body that nobody wants is read to keep its connection.
  package var drainBytes = 64 << 10

  package init(origin: HTTPOrigin, authorityFile: String? = nil) {
    self.origin = origin
    self.authorityFile = authorityFile
  }
}
