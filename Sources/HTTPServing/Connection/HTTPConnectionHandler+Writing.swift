import NIOCore
import NIOHTTP1
import Synchronization

extension HTTPConnectionHandler {
  /// Content up to this size travels in one buffer with its head.
  private static let togetherBytes = 16 * 1024

  /// Begins the answer to the current request.
  ///
  /// - Parameter length: of the content; nil: it ends when ``finish()`` is called.
  func begin(_ head: HTTPAnswerHead, length: Int?) throws {
    guard case .awaited = outbound, let request else { throw HTTPFault.closed }
    // Unless it is here, nobody waits for the rest of a body that nobody wants.
    if !isRequestHere { isLast = true }
    if isStopping { isLast = true }
    var bytes = head.bytes
    var remaining = Remaining.none
    let hasContent = head.status != .noContent && head.status != .notModified
    if let length {
      if hasContent {
        bytes.writeStaticString("content-length: ")
        bytes.writeDecimal(length)
        bytes.writeStaticString("\r\n")
      }
      if request.method != .HEAD, hasContent { remaining = .bytes(length) }
    } else if request.version == .http1_1 {
      bytes.writeStaticString("transfer-encoding: chunked\r\n")
      if request.method != .HEAD { remaining = .chunked }
    } else {
      isLast = true
      if request.method != .HEAD { remaining = .untilClose }
    }
    if isLast {
      bytes.writeStaticString("connection: close\r\n")
    } else if request.version != .http1_1 {
      bytes.writeStaticString("connection: keep-alive\r\n")
    }
    bytes.writeStaticString("date: ")
    bytes.writeString(currentDate())
    bytes.writeStaticString("\r\n\r\n")
    outbound = .streaming(head: bytes, remaining: remaining)
  }

  /// Writes content, and waits until there is room for more.
  func write(_ content: ByteBuffer) async throws {
    guard case .streaming(var head, var remaining) = outbound, !isClosed else {
      throw HTTPFault.closed
    }
    let count = content.readableBytes
    if count == 0 { return }
    switch remaining {
    case .none: return
    case .bytes(let left):
      guard count <= left else {
        close()
        throw HTTPFault.wrongLength
      }
      remaining = .bytes(left - count)
      head = send(content, after: head, isAll: left == count)
    case .untilClose:
      head = send(content, after: head, isAll: false)
    case .chunked:
      var start = head ?? ByteBuffer()
      start.writeString(String(count, radix: 16))
      start.writeStaticString("\r\n")
      var content = content
      content.writeStaticString("\r\n")
      head = send(content, after: start, isAll: false)
    }
    outbound = .streaming(head: head, remaining: remaining)
    try await awaitRoom()
  }

  /// - Parameter isAll: what is left to send can wait for ``finish()``.
  /// - Returns: what was not given to the channel yet.
  private func send(_ content: ByteBuffer, after head: ByteBuffer?, isAll: Bool) -> ByteBuffer? {
    guard let context else { return nil }
    if var together = head, content.readableBytes <= Self.togetherBytes {
      together.writeImmutableBuffer(content)
      if isAll { return together }
      context.writeAndFlush(wrapOutboundOut(together), promise: nil)
      return nil
    }
    if let head { context.write(wrapOutboundOut(head), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(content), promise: nil)
    return nil
  }

  /// Ends the answer: all of its content was written.
  func finish() async throws {
    guard case .streaming(var head, let remaining) = outbound, !isClosed, let context else {
      throw HTTPFault.closed
    }
    switch remaining {
    case .none, .untilClose, .bytes(0): break
    case .bytes:
      close()
      throw HTTPFault.wrongLength
    case .chunked:
      var end = head ?? ByteBuffer()
      end.writeStaticString("0\r\n\r\n")
      head = end
    }
    let isWhole = skipBody()
    let isEnd = isLast || !isWhole
    outbound = isEnd ? .closing : .idle
    if isEnd {
      isLast = true
      send(head ?? ByteBuffer()) { [self] in if isWhole { close() } else { linger() } }
    } else if let head {
      context.writeAndFlush(wrapOutboundOut(head), promise: nil)
    }
    lastWrite = .now()
    try await awaitRoom()
  }

  func takeBack() -> Bool {
    switch outbound {
    case .streaming(head: _?, _):
      outbound = .awaited
      return true
    case .awaited: return true
    case .streaming, .idle, .closing: return false
    }
  }

  /// Answers what is no request, if nothing else is being answered, and closes.
  func refuse(_ error: HTTPParserError) {
    guard case .idle = outbound, error != .invalidEOFState else { return close() }
    let status: HTTPResponseStatus =
      switch error {
      case .headerOverflow: .requestHeaderFieldsTooLarge
      case .invalidVersion: .httpVersionNotSupported
      case .invalidMethod where limits.allowedMethods != nil: .methodNotAllowed
      default: .badRequest
      }
    refuse(status)
  }

  /// Answers without the service, and closes.
  ///
  /// - Parameter method: of the request; nil: there is no whole head.
  func refuse(_ status: HTTPResponseStatus, to method: HTTPMethod? = nil) {
    guard context != nil, !isClosed else { return }
    onRefusal(status)
    isLast = true
    outbound = .closing
    lastWrite = .now()
    let reason = status.reasonPhrase + "\n"
    var head = HTTPAnswerHead(status)
    head.add("content-type", "text/plain; charset=utf-8")
    head.add("content-length", reason.utf8.count)
    if status == .methodNotAllowed, let allowed = limits.allowedMethods {
      head.add("allow", allowed)
    }
    head.add("connection", "close")
    head.add("date", currentDate())
    var bytes = head.bytes
    bytes.writeStaticString("\r\n")
    if method != .HEAD { bytes.writeString(reason) }
    entry.waitSince.store(lastWrite.uptimeNanoseconds, ordering: .relaxed)
    send(bytes) { [self] in linger() }
  }

  /// No request follows: closes when everything was sent, unless a last answer does so.
  func closeWhenSent() {
    if case .closing = outbound { return }
    guard context != nil, !isClosed else { return }
    isLast = true
    outbound = .closing
    lastWrite = .now()
    entry.waitSince.store(lastWrite.uptimeNanoseconds, ordering: .relaxed)
    send(ByteBuffer()) { [self] in close() }
    headWaiter.take()?.resume(returning: nil)
  }

  /// Writes bytes, and calls `end` when they and all before them were sent, or never will be.
  func send(_ bytes: ByteBuffer, then end: @escaping () -> Void) {
    guard let context else { return }
    let sent = context.eventLoop.makePromise(of: Void.self)
    sent.futureResult.assumeIsolated().whenComplete { _ in end() }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: sent)
  }

  func writeContinue() {
    var bytes = ByteBuffer()
    bytes.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
    context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  /// Ends this side, and reads on for a while: closed at once, a connection whose client still
  /// sends would be reset, and the answer lost (RFC 9112, section 9.6).
  private func linger() {
    if isInputClosed { return close() }
    if isClosed { return }
    lingerStart = .now()
    meter.stop()
    inbox.removeAll()
    (inboxBytes, inboxHeads, inboxEnds) = (0, 0, 0)
    context?.close(mode: .output, promise: nil)
    if isReadHeld {
      isReadHeld = false
      context?.read()
    }
    setTimer(at: .now() + limits.lingerTimeout)
  }

  private func awaitRoom() async throws {
    if channel.isWritable || isClosed { return }
    lastWrite = .now()
    entry.waitSince.store(lastWrite.uptimeNanoseconds, ordering: .relaxed)
    defer { entry.waitSince.store(0, ordering: .relaxed) }
    try await withCheckedThrowingContinuation { writeWaiter = $0 }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    lastWrite = .now()
    if context.channel.isWritable { writeWaiter.take()?.resume() }
    context.fireChannelWritabilityChanged()
  }

  private func currentDate() -> String {
    let second = HTTPDate.now
    if date.second != second { date = (second, HTTPDate.text(second)) }
    return date.text
  }
}
