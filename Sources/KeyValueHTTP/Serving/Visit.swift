import HTTPServing
import NIOCore
import NIOHTTP1
import ObjectStore

/// One request on its way through the service, and what became of it.
struct Visit {
  let exchange: HTTPExchange
  var fields = RequestFields()
  var target = RequestTarget.server
  /// Nil: there was no answer.
  var status: HTTPResponseStatus?
  var bytesReceived = 0
  var bytesSent = 0
  /// What ended the answer early.
  var fault: (any Error)?

  init(_ exchange: HTTPExchange) { self.exchange = exchange }
}
