/// Finds where a reply ends without making values of it.
///
/// Nested values need no stack: an aggregate only adds its children to the number of values that
/// are still to come. Attributes belong to the reply that follows them. Streamed strings and
/// aggregates are refused: no server sends them.
package struct RESPReplyScanner: Sendable, Hashable {
  /// A line that says a length is never longer.
  private static let longestHeader = 32
  /// So many bytes of a line of text are kept together, so that the code of an error is in one
  /// piece.
  private static let keptLine = 512

  /// Values that are still to come; 0 between replies.
  private var valuesLeft = 0
  /// Bytes of a payload that are still to come, its line end included.
  private var payloadLeft = 0
  private var isInLine = false

  package init() {}

  /// Whether a reply has begun and not ended.
  package var isInReply: Bool { valuesLeft > 0 || payloadLeft > 0 || isInLine }

  /// Goes from `position` to the end of the reply, or as far as the bytes go.
  ///
  /// - Returns: where it stopped, and whether the reply ends there. Bytes behind that place are the
  ///   start of a line whose end is missing: give them again, with what follows.
  package mutating func scan(
    _ bytes: Span<UInt8>, from position: Int
  ) throws(RESPScanError) -> (position: Int, isComplete: Bool) {
    var position = position
    if !isInReply {
      guard position < bytes.count else { return (position, false) }
      valuesLeft = 1
    }
    while true {
      if payloadLeft > 0 {
        let step = min(payloadLeft, bytes.count - position)
        position += step
        payloadLeft -= step
        if payloadLeft > 0 { return (position, false) }
      } else if isInLine {
        guard let end = Self.lineEnd(bytes, from: position) else { return (bytes.count, false) }
        position = end
        isInLine = false
      }
      if valuesLeft == 0 { return (position, true) }
      guard position < bytes.count else { return (position, false) }
      guard let next = try scanValue(bytes, from: position) else { return (position, false) }
      position = next
    }
  }

  /// Reads the line at the start of a value; nil while it is not there.
  private mutating func scanValue(
    _ bytes: Span<UInt8>, from start: Int
  ) throws(RESPScanError) -> Int? {
    let type = bytes[start]
    switch type {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "_"),
      UInt8(ascii: ","), UInt8(ascii: "#"), UInt8(ascii: "("):
      if let end = Self.lineEnd(bytes, from: start + 1) {
        valuesLeft -= 1
        return end
      }
      guard bytes.count - start > Self.keptLine else { return nil }
      valuesLeft -= 1
      isInLine = true
      return bytes.count
    case UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "="):
      guard let (length, end) = try Self.length(bytes, from: start + 1) else { return nil }
      valuesLeft -= 1
      if length >= 0 { payloadLeft = length + 2 }
      return end
    case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"):
      guard let (count, end) = try Self.length(bytes, from: start + 1) else { return nil }
      try expect(max(0, count) - 1)
      return end
    case UInt8(ascii: "%"):
      guard let (count, end) = try Self.length(bytes, from: start + 1) else { return nil }
      try expect(2 * max(0, count) - 1)
      return end
    case UInt8(ascii: "|"):
      guard let (count, end) = try Self.length(bytes, from: start + 1) else { return nil }
      try expect(2 * max(0, count))
      return end
    default: throw .replyType(type)
    }
  }

  private mutating func expect(_ more: Int) throws(RESPScanError) {
    let (sum, overflow) = valuesLeft.addingReportingOverflow(more)
    guard !overflow else { throw .replyLength }
    valuesLeft = sum
  }

  private static func length(
    _ bytes: Span<UInt8>, from start: Int
  ) throws(RESPScanError) -> (number: Int, end: Int)? {
    guard
      let (number, end) = try RESPNumber.read(
        bytes, from: start, tooLong: .replyLength, invalid: .replyLength)
    else { return nil }
    guard (-1...1 << 40).contains(number) else { throw .replyLength }
    return (number, end)
  }

  /// The place behind the next line feed.
  private static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    var index = start
    let count = bytes.count
    while index < count {
      if bytes[index] == 0x0A { return index + 1 }
      index += 1
    }
    return nil
  }
}
