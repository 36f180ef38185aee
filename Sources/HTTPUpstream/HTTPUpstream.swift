import EventLoops
package import NIOCore
import NIOPosix
import NIOSSL

/// A client for one server over HTTP/1.1, with connections that are kept and used again.
///
/// Each event loop has connections of its own. A task that runs on one of them (see
/// ``EventLoopTaskExecutor``) is served without a change of thread; tasks elsewhere use those of
/// the first. Bodies stream both ways with back-pressure, and each wait has an end.
package final class HTTPUpstream: Sendable {
  package let configuration: HTTPUpstreamConfiguration
  private let lanes: EventLoopLanes<HTTPLane>

  /// - Throws: ``HTTPUpstreamError`` (`configuration`) if the authorities cannot be read.
  package init(
    configuration: HTTPUpstreamConfiguration, eventLoopGroup: any EventLoopGroup
  ) throws(HTTPUpstreamError) {
    self.configuration = configuration
    let connector = try HTTPConnector(configuration)
    lanes = EventLoopLanes(
      eventLoopGroup.makeIterator().map { eventLoop in
        (eventLoop, HTTPLane(connector, on: eventLoop))
      })
  }

  /// Sends a request; returns when the head of its answer is there.
  ///
  /// - Parameter source: gives the body if that is a stream. Not asked any more once the answer has
  ///   come: it may come before the whole body was sent.
  package func send(
    _ request: HTTPUpstreamRequest, from source: (any HTTPUpstreamSource)? = nil
  ) async throws(HTTPUpstreamError) -> HTTPUpstreamResponse {
    let lane = lanes[lanes.current]
    let exchange = HTTPExchange(request, lane: lane, limit: configuration.bufferBytes)
    lane.submit(exchange)
    do throws(HTTPUpstreamError) {
      if case .stream = request.body { try await exchange.send(from: source) }
      return HTTPUpstreamResponse(try await exchange.head(), exchange)
    } catch {
      exchange.abandon()
      throw error
    }
  }

  /// Closes connections that have nothing to do; those in use close when they have done it. Requests
  /// that come later fail.
  package func shutDown() {
    for lane in lanes.all { lane.shutDown() }
  }

  /// Connections of all event loops, for tests and gauges.
  package func connectionCount() async -> Int {
    var count = 0
    for lane in lanes.all { count += await lane.connectionCount() }
    return count
  }
}
