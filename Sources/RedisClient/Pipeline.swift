import NIOCore

/// The commands sent over one connection that have no reply yet, in the order sent.
///
/// A command whose caller has given up keeps its place, so that its late reply is taken for what
/// it is and the next reply goes to the next command.
struct Pipeline {
  private struct Entry {
    let pending: PendingCommand
    let sentAt: NIODeadline
  }

  private var entries = CircularBuffer<Entry>(initialCapacity: 64)
  /// No entry that has not expired yet has an earlier deadline.
  private var earliestDeadline = NIODeadline.distantFuture

  var isEmpty: Bool { entries.isEmpty }

  mutating func append(_ pending: PendingCommand, at now: NIODeadline) {
    entries.append(Entry(pending: pending, sentAt: now))
    earliestDeadline = min(earliestDeadline, pending.deadline)
  }

  /// The command that the next reply answers; nil if none was sent.
  mutating func removeFirst() -> PendingCommand? {
    entries.popFirst()?.pending
  }

  /// Commands whose deadline has passed. They stay.
  mutating func expired(at now: NIODeadline) -> [PendingCommand] {
    guard earliestDeadline <= now else { return [] }
    earliestDeadline = .distantFuture
    var expired: [PendingCommand] = []
    for entry in entries {
      if entry.pending.deadline <= now {
        expired.append(entry.pending)
      } else {
        earliestDeadline = min(earliestDeadline, entry.pending.deadline)
      }
    }
    return expired
  }

  /// How long the oldest command has been waiting.
  func age(at now: NIODeadline) -> TimeAmount {
    entries.first.map { now - $0.sentAt } ?? .zero
  }

  mutating func removeAll() -> [PendingCommand] {
    let all = entries.map(\.pending)
    entries.removeAll()
    earliestDeadline = .distantFuture
    return all
  }
}
