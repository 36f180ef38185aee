package import NIOCore
package import NIOHTTP1

/// One request and its answer; used in the task that got it, until that has answered.
package struct HTTPExchange {
  package let request: HTTPRequestHead
  private let connection: HTTPConnectionHandler

  init(request: HTTPRequestHead, connection: HTTPConnectionHandler) {
    self.request = request
    self.connection = connection
  }

  package var channel: any Channel { connection.channel }

  /// The next bytes of the body, never none; nil at its end. The first call answers
  /// `Expect: 100-continue`, so whoever refuses a body refuses it before.
  ///
  /// - Throws: ``HTTPFault`` if the rest does not come.
  package func nextBytes() async throws -> ByteBuffer? { try await connection.nextBytes() }

  /// Answers with content that is here.
  package func answer(_ head: HTTPAnswerHead, _ content: ByteBuffer? = nil) async throws {
    try connection.begin(head, length: content?.readableBytes ?? 0)
    if let content { try await connection.write(content) }
    try await connection.finish()
  }

  /// Begins an answer whose content is written piece by piece, and ended with ``finish()``. To a
  /// HEAD, what is written is not sent.
  ///
  /// - Parameter length: of the content; nil if it is not known.
  package func begin(_ head: HTTPAnswerHead, length: Int?) throws {
    try connection.begin(head, length: length)
  }

  /// Writes content; returns when there is room for more.
  package func write(_ content: ByteBuffer) async throws { try await connection.write(content) }

  package func finish() async throws { try await connection.finish() }

  /// Forgets an answer of which nothing was sent, so that another can take its place.
  ///
  /// - Returns: false if something was sent.
  package func takeBack() -> Bool { connection.takeBack() }
}
