package import NIOCore

/// Follows the frames of one direction of a connection and keeps nothing of them, so that they can
/// be passed on as they came: whatever their size, in the pieces in which they arrive.
package struct WebSocketFrameScanner: Sendable {
  /// Bytes as they came, with what they are.
  package enum Piece: Hashable, Sendable {
    case head(WebSocketFrameHead, ByteBuffer)
    /// A part of the payload of the frame whose head came last, with where it begins there. One is
    /// the last: a frame without a payload has one without bytes.
    case payload(ByteBuffer, offset: Int, isLast: Bool)
  }

  private let sender: WebSocketSide
  private let maximumMessageBytes: Int
  private var current: WebSocketFrameHead?
  private var offset = 0
  /// A message has begun and not ended.
  private var isInMessage = false
  private var messageBytes = 0

  /// - Parameters:
  ///   - sender: whose frames these are.
  ///   - maximumMessageBytes: of a message, in whatever number of frames.
  package init(sentBy sender: WebSocketSide, maximumMessageBytes: Int) {
    self.sender = sender
    self.maximumMessageBytes = maximumMessageBytes
  }

  /// Whether the last frame is whole: another frame can be put in here.
  package var isBetweenFrames: Bool { current == nil }

  /// Takes what is at the front away; nil if nothing can be said of it yet: that is a part of a head,
  /// at most 13 bytes, or nothing.
  package mutating func next(_ bytes: inout ByteBuffer) throws(WebSocketFault) -> Piece? {
    if let head = current {
      let count = min(head.length - offset, bytes.readableBytes)
      let isLast = offset + count == head.length
      guard count > 0 || isLast, let part = bytes.readSlice(length: count) else { return nil }
      let start = offset
      offset += count
      if isLast { current = nil }
      return .payload(part, offset: start, isLast: isLast)
    }
    let start = bytes
    guard let head = try WebSocketFrameHead.read(from: &bytes, sentBy: sender) else { return nil }
    try follow(head)
    (current, offset) = (head, 0)
    let size = start.readableBytes - bytes.readableBytes
    return start.getSlice(at: start.readerIndex, length: size).map { .head(head, $0) }
  }

  private mutating func follow(_ head: WebSocketFrameHead) throws(WebSocketFault) {
    // They may stand between the frames of a message.
    if head.opcode.isControl { return }
    guard (head.opcode == .continuation) == isInMessage else {
      throw .protocolError(
        isInMessage ? "a message begins within another" : "a message goes on that has not begun")
    }
    messageBytes = isInMessage ? messageBytes : 0
    let (sum, isTooLarge) = messageBytes.addingReportingOverflow(head.length)
    guard !isTooLarge, sum <= maximumMessageBytes else { throw .tooLarge(maximumMessageBytes) }
    messageBytes = sum
    isInMessage = !head.isFinal
  }
}
