import Logging
import NIOCore
import RESP

/// Finds whose the received bytes are.
extension Upstream {
  func deliver(_ buffer: ByteBuffer) {
    let bytes = buffer.readableBytesUInt8Span
    let now = lane.readClock()
    var position = 0
    // The piece that goes to one client at once.
    var start = 0
    var replies = 0
    do throws(RESPScanError) {
      while position < bytes.count {
        if !scanner.isInReply { begin(bytes[position]) }
        let replyStart = position
        let (next, isComplete) = try scanner.scan(bytes, from: position)
        position = next
        if isPush {
          // Nobody on a shared connection has asked for it.
          pass(buffer, start, replyStart, replies)
          (start, replies) = (position, 0)
          if next == replyStart { break }
          continue
        }
        guard isComplete else {
          if next == replyStart { break }
          continue
        }
        guard !expected.isEmpty else { throw .replyType(bytes[replyStart]) }
        if isReplyError { lane.noticeError(bytes.extracting(replyStart..<next), from: self) }
        if let transaction = expected[expected.startIndex].transaction {
          expected[expected.startIndex].client?.receive(
            bytes.extracting(replyStart..<next), isError: isReplyError, to: transaction)
        }
        replies += 1
        expected[expected.startIndex].count -= 1
        lane.metrics.replied(key.role, after: now - expected[expected.startIndex].sentAt)
        if expected[expected.startIndex].count == 0 {
          pass(buffer, start, position, replies)
          expected.removeFirst()
          (start, replies) = (position, 0)
          if isTunnel, expected.isEmpty { break }
        }
      }
    } catch {
      return giveUp(error)
    }
    if start < position, !expected.isEmpty { pass(buffer, start, position, replies) }
    if position < bytes.count,
      let left = buffer.getSlice(at: buffer.readerIndex + position, length: bytes.count - position)
    {
      if isTunnel, expected.isEmpty {
        relay(left)
      } else {
        keep(left)
      }
    }
    closeIfRetired()
  }

  private func begin(_ type: UInt8) {
    isPush = type == UInt8(ascii: ">")
    isReplyError = type == UInt8(ascii: "-")
    isReplyStatus = type == UInt8(ascii: "+")
  }

  /// Keeps the start of a line for when its end comes.
  private func keep(_ left: ByteBuffer) {
    // A copy: a few bytes must not keep the whole buffer.
    rest = ByteBuffer()
    rest.writeImmutableBuffer(left)
  }

  private func giveUp(_ error: RESPScanError) {
    lane.logger.error(
      "A server sent what is no reply",
      metadata: ["server": "\(address)", "error": "\(error.detail)"])
    let context = self.context
    end(.unreachable("the server sent what is no reply"))
    context?.close(promise: nil)
  }

  /// Passes on what comes in a tunnel: all of it, to its only client. Where replies end matters
  /// only for the one to `RESET`.
  func relay(_ buffer: ByteBuffer) {
    let bytes = buffer.readableBytesUInt8Span
    var position = 0
    var isOver = false
    var isRefused = false
    do throws(RESPScanError) {
      while position < bytes.count, !isOver {
        let start = position
        if !scanner.isInReply { begin(bytes[start]) }
        let (next, isComplete) = try scanner.scan(bytes, from: position)
        position = next
        guard isComplete else { break }
        guard expectsReset else { continue }
        isOver =
          isReplyStatus && Transaction.starts(bytes.extracting(start..<next), with: "+RESET\r\n")
        // Not one to a command before it.
        if isReplyError, Self.names(bytes.extracting(start..<next), "reset") { isRefused = true }
      }
    } catch {
      return giveUp(error)
    }
    guard let owner else { return }
    if position > 0,
      let piece = buffer.getSlice(at: buffer.readerIndex, length: position)
    {
      owner.deliver(position == bytes.count ? buffer : piece, replies: 0, from: self)
    }
    if isOver { return owner.tunnelEnded() }
    if position < bytes.count,
      let left = buffer.getSlice(at: buffer.readerIndex + position, length: bytes.count - position)
    {
      keep(left)
    }
    if isRefused {
      expectsReset = false
      owner.tunnelGoesOn()
    }
  }

  /// Whether a line has a word in it, in letters of any size.
  private static func names(_ line: Span<UInt8>, _ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard line.count >= length else { return false }
    return (0...line.count - length).contains { start in
      (0..<length).allSatisfy { line[start + $0] | 0x20 == word.utf8Start[$0] }
    }
  }

  /// Takes a part of the reply to a question of the proxy.
  private func collect(_ piece: ByteBuffer, isLast: Bool) {
    inquiry?.append(piece)
    guard isLast, var inquiry else { return }
    self.inquiry = nil
    if let reply = inquiry.reply() { inquiry.then(reply) }
  }

  /// Gives a part of what was received to the client whose turn it is.
  private func pass(_ buffer: ByteBuffer, _ start: Int, _ end: Int, _ replies: Int) {
    guard end > start, let entry = expected.first else { return }
    if entry.isInquiry,
      let piece = buffer.getSlice(at: buffer.readerIndex + start, length: end - start)
    {
      return collect(piece, isLast: replies > 0)
    }
    guard let client = entry.client, !client.isGone else { return }
    let isAll = end - start == buffer.readableBytes
    let piece =
      entry.isSilent
      ? ByteBuffer()
      : isAll
        ? buffer
        : buffer.getSlice(at: buffer.readerIndex + start, length: end - start) ?? ByteBuffer()
    client.deliver(piece, replies: replies, from: self)
  }
}
