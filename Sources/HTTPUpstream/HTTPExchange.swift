import NIOCore
import NIOHTTP1
import Synchronization

/// One request and its answer, between the task that asks and the connection that carries it.
///
/// The task may run anywhere; the connection lives on its event loop. What both touch is under a
/// short lock, and whoever waits is woken after it.
final class HTTPExchange: Sendable {
  struct State {
    /// The connection that carries it; nil while it waits for one, and when it is over.
    var connection: NIOLoopBound<HTTPConnection>?
    /// Whether a connection had it, so that the server may have seen it.
    var wasSent = false
    /// How often it met a connection that was closing.
    var restarts = 0

    var outgoing = CircularBuffer<ByteBuffer>()
    /// Whether `outgoing` holds all the rest of the request.
    var isOutgoingWhole = true
    var writer: CheckedContinuation<Void, Never>?

    var head: HTTPResponseHead?
    var parts = CircularBuffer<ByteBuffer>()
    var bufferedBytes = 0
    /// Whether the connection has stopped reading until there is room.
    var isPaused = false
    var isEnded = false
    var failure: HTTPUpstreamError?
    var reader: CheckedContinuation<Void, Never>?

    var isOver: Bool { isEnded || failure != nil }
  }

  let request: HTTPUpstreamRequest
  private let lane: HTTPLane
  /// Bytes of a body that wait on this side before the other is stopped, each way.
  let limit: Int
  let state: Mutex<State>

  init(_ request: HTTPUpstreamRequest, lane: HTTPLane, limit: Int) {
    self.request = request
    self.lane = lane
    self.limit = limit
    var state = State()
    switch request.body {
    case .none: break
    case .bytes(let buffers): state.outgoing = CircularBuffer(buffers)
    case .stream: state.isOutgoingWhole = false
    }
    self.state = Mutex(state)
  }

  var isOver: Bool { state.withLock { $0.isOver } }

  func error(
    _ kind: HTTPUpstreamError.Kind, _ message: String, cause: (any Error)? = nil
  ) -> HTTPUpstreamError {
    HTTPUpstreamError(
      kind, lane.configuration.origin, "\(request.method) \(message)",
      mayHaveRun: state.withLock { $0.wasSent }, cause: cause)
  }

  // MARK: The end, from any side

  /// Ends it, unless that has happened already.
  func fail(_ error: HTTPUpstreamError) {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>?] in
      guard !state.isOver else { return [] }
      state.failure = error
      state.outgoing.removeAll()
      defer { (state.reader, state.writer) = (nil, nil) }
      return [state.reader, state.writer]
    }
    for continuation in waiting { continuation?.resume() }
  }

  /// The task was cancelled: the connection closes, since nobody waits for its answer.
  func cancel() {
    fail(error(.cancelled, "was given up"))
    letGo(drains: false)
  }

  /// Nobody reads any further.
  func abandon() {
    fail(error(.cancelled, "was given up"))
    state.withLock { $0.parts.removeAll() }
    letGo(drains: true)
  }

  private func letGo(drains: Bool) {
    withConnection { $0.letGo(self, drains: drains) }
  }

  /// Does something on the connection's event loop if there is a connection: at once if this is it.
  func withConnection(_ work: @escaping @Sendable (HTTPConnection) -> Void) {
    guard let connection = state.withLock({ $0.connection }) else { return }
    let eventLoop = lane.eventLoop
    if eventLoop.inEventLoop {
      work(connection.value)
    } else {
      eventLoop.execute { work(connection.value) }
    }
  }

  /// Waits until `isReady`, which looks at the state under the lock. Cancellation makes it fail.
  func wait(
    with place: sending WritableKeyPath<State, CheckedContinuation<Void, Never>?>,
    until isReady: @Sendable (State) -> Bool
  ) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if isReady(state) { return true }
          state[keyPath: place] = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      cancel()
    }
  }
}
