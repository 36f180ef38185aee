import NIOCore

/// The order in which one client has to get its replies, whichever connection they come from.
///
/// Neighbouring commands on the same connection are one run, so that a pipeline to one server costs
/// nothing. What arrives before its turn is held. A piece of a delivery never spans two runs:
/// ``append(_:)`` tells whether a run goes on.
struct ReplyOrder<Source: Equatable> {
  private enum Run {
    case replies(from: Source, count: Int)
    case own(ByteBuffer)
  }

  private struct Held {
    let source: Source
    var pieces: [ByteBuffer]
    var replies: Int
  }

  private var runs = CircularBuffer<Run>(initialCapacity: 1)
  private var held: [Held] = []

  /// Replies that are still to come, those of the proxy itself not counted.
  private(set) var outstanding = 0
  /// Replies that were ever expected.
  private(set) var expected = 0
  /// Replies that have been written.
  var answered: Int { expected - outstanding }
  /// Bytes that arrived before their turn.
  private(set) var heldBytes = 0

  var isEmpty: Bool { runs.isEmpty }

  /// Expects one more reply, behind all others.
  ///
  /// - Returns: whether it continues the last run.
  mutating func append(_ source: Source) -> Bool {
    outstanding += 1
    expected += 1
    if let last = runs.last, case .replies(source, let count) = last {
      runs[runs.index(before: runs.endIndex)] = .replies(from: source, count: count + 1)
      return true
    }
    runs.append(.replies(from: source, count: 1))
    return false
  }

  /// Puts a reply of the proxy itself behind all others.
  ///
  /// - Returns: false if it is its turn already, and nothing was kept.
  mutating func append(own reply: ByteBuffer) -> Bool {
    guard !runs.isEmpty else { return false }
    runs.append(.own(reply))
    return true
  }

  /// Whether what this source sends is to be written at once.
  func isTurn(of source: Source) -> Bool {
    if let first = runs.first, case .replies(source, _) = first { true } else { false }
  }

  /// Notes that replies of the first run were written.
  ///
  /// - Returns: what may be written now.
  mutating func written(_ replies: Int) -> [ByteBuffer] {
    guard replies > 0, let first = runs.first, case .replies(let source, let count) = first else {
      return []
    }
    outstanding -= replies
    if count > replies {
      runs[runs.startIndex] = .replies(from: source, count: count - replies)
      return []
    }
    _ = runs.popFirst()
    return runs.isEmpty ? [] : release()
  }

  /// Keeps what came before its turn.
  mutating func hold(_ piece: ByteBuffer, replies: Int, from source: Source) {
    heldBytes += piece.readableBytes
    if let last = held.indices.last(where: { held[$0].source == source }), held[last].replies == 0 {
      // The rest of a reply whose start is held.
      held[last].pieces.append(piece)
      held[last].replies = replies
    } else {
      held.append(Held(source: source, pieces: [piece], replies: replies))
    }
  }

  private mutating func release() -> [ByteBuffer] {
    var ready: [ByteBuffer] = []
    while let first = runs.first {
      switch first {
      case .own(let reply):
        ready.append(reply)
        runs.removeFirst()
      case .replies(let source, let count):
        guard let index = held.firstIndex(where: { $0.source == source }) else { return ready }
        let next = held.remove(at: index)
        for piece in next.pieces {
          heldBytes -= piece.readableBytes
          ready.append(piece)
        }
        outstanding -= next.replies
        if next.replies < count {
          runs[runs.startIndex] = .replies(from: source, count: count - next.replies)
        } else {
          runs.removeFirst()
        }
      }
    }
    return ready
  }
}
