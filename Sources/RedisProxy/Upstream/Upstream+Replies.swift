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
      lane.logger.error(
        "A server sent what is no reply",
        metadata: ["server": "\(address)", "error": "\(error.detail)"])
      let context = self.context
      end(.unreachable("the server sent what is no reply"))
      context?.close(promise: nil)
      return
    }
    if start < position, !expected.isEmpty { pass(buffer, start, position, replies) }
    if position < bytes.count,
      let left = buffer.getSlice(at: buffer.readerIndex + position, length: bytes.count - position)
    {
      if isTunnel, expected.isEmpty {
        owner?.deliver(left, replies: 0, from: self)
      } else {
        // A copy: a few bytes must not keep the whole buffer.
        rest = ByteBuffer()
        rest.writeImmutableBuffer(left)
      }
    }
    closeIfRetired()
  }

  private func begin(_ type: UInt8) {
    isPush = type == UInt8(ascii: ">")
    isReplyError = type == UInt8(ascii: "-")
  }

  /// Gives a part of what was received to the client whose turn it is.
  private func pass(_ buffer: ByteBuffer, _ start: Int, _ end: Int, _ replies: Int) {
    guard end > start, let entry = expected.first, let client = entry.client, !client.isGone else {
      return
    }
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
