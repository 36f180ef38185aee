/// What a parser accepts before it calls the peer broken or hostile.
package struct RESPLimits: Sendable, Hashable {
  /// Bytes in one bulk string, or in all chunks of a streamed one.
  package var bulkLength: Int
  /// Bytes in one line, its type byte included, CR LF not.
  package var lineLength: Int
  /// Aggregates open inside each other.
  package var depth: Int
  /// Children of one aggregate; a map entry counts as two.
  package var elementsPerAggregate: Int
  /// Children of all aggregates in one reply.
  package var elementsPerReply: Int
  /// Bytes in one reply, framing included.
  package var replyLength: Int

  package init(
    bulkLength: Int, lineLength: Int, depth: Int, elementsPerAggregate: Int,
    elementsPerReply: Int, replyLength: Int
  ) {
    self.bulkLength = bulkLength
    self.lineLength = lineLength
    self.depth = depth
    self.elementsPerAggregate = elementsPerAggregate
    self.elementsPerReply = elementsPerReply
    self.replyLength = replyLength
  }

  /// For replies from a server that one chose to connect to: 64 MiB and a million elements.
  package static let client = RESPLimits(
    bulkLength: 64 << 20, lineLength: 64 << 10, depth: 32, elementsPerAggregate: 1 << 20,
    elementsPerReply: 1 << 20, replyLength: 128 << 20)
}
