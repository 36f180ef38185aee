import NIOCore
import NIOHTTP1
import Synchronization

extension HTTPConnectionHandler {
  /// Up to this size, parts of a body that wait are put together.
  private static let mergedBytes = 4096

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastRead = .now()
    // Nobody reads what comes behind the last request.
    if lingerStart != nil { return }
    if case .closing = outbound { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      meter.endHead()
      if let waiter = headWaiter.take() {
        begin(head)
        waiter.resume(returning: head)
      } else {
        inboxHeads += 1
        inbox.append(.head(head))
      }
    case .body(let bytes):
      if let waiter = bodyWaiter.take() {
        waiter.resume(returning: bytes)
      } else {
        inboxBytes += bytes.readableBytes
        keep(bytes)
      }
    case .end:
      meter.expectHead()
      if let waiter = bodyWaiter.take() {
        isRequestRead = true
        waiter.resume(returning: nil)
      } else {
        inboxEnds += 1
        inbox.append(.end(nil))
      }
    }
  }

  /// Small parts become one: each would cost far more than its bytes.
  private func keep(_ bytes: ByteBuffer) {
    if case .body(let last)? = inbox.last,
      last.readableBytes + bytes.readableBytes <= Self.mergedBytes
    {
      var merged = channel.allocator.buffer(capacity: Self.mergedBytes)
      if case .body(var known)? = inbox.popLast() {
        // Only what has been merged before has room.
        if known.capacity == merged.capacity,
          known.writerIndex + bytes.readableBytes <= known.capacity
        {
          known.writeImmutableBuffer(bytes)
          return inbox.append(.body(known))
        }
        merged.writeImmutableBuffer(known)
      }
      merged.writeImmutableBuffer(bytes)
      inbox.append(.body(merged))
    } else {
      inbox.append(.body(bytes))
    }
  }

  /// Back-pressure: no more is read while the task has enough to do.
  func read(context: ChannelHandlerContext) {
    if mayRead { context.read() } else { isReadHeld = true }
  }

  private var mayRead: Bool { inboxBytes < limits.bufferedBytes && inboxHeads == 0 }

  private func readOn() {
    guard isReadHeld, mayRead else { return }
    isReadHeld = false
    context?.read()
  }

  /// The head of the next request; nil: there is none, and the connection is closed or will be.
  func nextHead() async -> HTTPRequestHead? {
    if isLast { return nil }
    if let part = inbox.popFirst() {
      guard case .head(let head) = part else { return nil }
      inboxHeads -= 1
      begin(head)
      readOn()
      return head
    }
    if isClosed { return nil }
    switch inbound {
    case .ended: return nil
    case .failed(let error):
      refuse(error)
      return nil
    case .open: break
    }
    if isStopping, meter.start == nil { return nil }
    return await withCheckedContinuation {
      headWaiter = $0
      settle()
    }
  }

  /// Between two requests: idle only when the client has all of the last answer.
  private func settle() {
    guard headWaiter != nil, !isClosed else { return }
    if userBytesUnsent == 0 {
      lastRead = max(lastRead, lastWrite)
      entry.waitSince.store(0, ordering: .relaxed)
      entry.idleSince.store(lastRead.uptimeNanoseconds, ordering: .relaxed)
      return
    }
    entry.waitSince.store(lastWrite.uptimeNanoseconds, ordering: .relaxed)
    if isDraining { return }
    isDraining = true
    send(ByteBuffer()) { [self] in
      isDraining = false
      lastWrite = .now()
      settle()
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    entry.idleSince.store(0, ordering: .relaxed)
    entry.waitSince.store(0, ordering: .relaxed)
    request = head
    isRequestRead = false
    outbound = .awaited
    let traits = HTTPRequestTraits(head)
    isSound = traits.isSound
    needsContinue = traits.expectsContinue
    isLast =
      isStopping || !limits.keepsAlive || !head.isKeepAlive || traits.isUpgrade || !traits.isSound
  }

  /// The next bytes of the current request's body; nil at its end.
  func nextBytes() async throws -> ByteBuffer? {
    if isRequestRead { return nil }
    if needsContinue {
      needsContinue = false
      if inbox.isEmpty, case .awaited = outbound { writeContinue() }
    }
    if let part = inbox.popFirst() {
      guard case .body(let bytes) = part else {
        inboxEnds -= 1
        isRequestRead = true
        return nil
      }
      inboxBytes -= bytes.readableBytes
      readOn()
      return bytes
    }
    if isClosed { throw HTTPFault.closed }
    switch inbound {
    case .ended: throw HTTPFault.brokenOff
    case .failed: throw HTTPFault.malformed
    case .open: break
    }
    lastRead = .now()
    entry.waitSince.store(lastRead.uptimeNanoseconds, ordering: .relaxed)
    defer { entry.waitSince.store(0, ordering: .relaxed) }
    return try await withCheckedThrowingContinuation { bodyWaiter = $0 }
  }

  /// Whether the whole request is here, read or not.
  var isRequestHere: Bool { isRequestRead || inboxEnds > 0 }

  /// Drops what is here of the current request's body.
  ///
  /// - Returns: false if the end of it is not here.
  func skipBody() -> Bool {
    while !isRequestRead {
      guard let part = inbox.popFirst() else { return false }
      switch part {
      case .body(let bytes): inboxBytes -= bytes.readableBytes
      case .end:
        inboxEnds -= 1
        isRequestRead = true
      case .head: return false
      }
    }
    return true
  }

  func inboundEnded(_ end: Inbound) {
    // What was asked for to the end is answered, though its client says no more.
    if case .ended = end {
      isInputClosed = true
      if lingerStart != nil { return close() }
    }
    guard case .open = inbound else { return }
    inbound = end
    if case .failed = end { meter.stop() }
    if lingerStart != nil { return }
    if let waiter = bodyWaiter.take() {
      if case .failed = end {
        waiter.resume(throwing: HTTPFault.malformed)
      } else {
        waiter.resume(throwing: HTTPFault.brokenOff)
      }
    } else if let waiter = headWaiter.take() {
      if case .failed(let error) = end { refuse(error) } else { closeWhenSent() }
      waiter.resume(returning: nil)
    }
  }
}
