import NIOCore
import RESP

/// A command that nobody has sent yet.
struct QueuedCommand {
  let command: RESPCommand
  let pending: PendingCommand
}

/// Decides what happens to commands before they are sent, and how many may wait at once.
///
/// A value without I/O: ``CommandPipe`` guards it with a lock and does as it says.
struct CommandQueue {
  /// What becomes of a new command.
  ///
  /// - `holding` → `ready`: a connection is usable; → `refusing`: an attempt failed.
  /// - `ready` → `holding`: the connection ended.
  /// - `refusing` → `ready`: a later attempt succeeded.
  /// - any → `refusing` for good: the client has ended.
  enum Phase {
    /// Commands wait: the first connection is not there yet, or one that worked was lost.
    case holding
    case ready
    /// Commands fail at once with the reason.
    case refusing(RedisError)
  }

  enum Admission {
    /// Queued; the event loop knows already that there is work.
    case queued
    /// Queued; wake the event loop.
    case wake
    case refused(RedisError.Kind, String, cause: RedisError?)
  }

  private(set) var phase = Phase.holding
  /// Commands admitted and not released, sent ones included.
  private(set) var count = 0
  /// Their bytes.
  private(set) var length = 0
  private var queued = CircularBuffer<QueuedCommand>(initialCapacity: 64)
  private var isAwake = false
  private var hasEnded = false
  private let maximumCount: Int
  private let maximumLength: Int

  init(maximumCount: Int, maximumLength: Int) {
    self.maximumCount = maximumCount
    self.maximumLength = maximumLength
  }

  mutating func admit(_ command: QueuedCommand) -> Admission {
    if case .refusing(let error) = phase {
      return .refused(.notConnected, "not sent, there is no connection", cause: error)
    }
    guard count < maximumCount, length + command.pending.length <= maximumLength else {
      return .refused(
        .tooManyPending,
        "not sent, \(count) commands of \(length) bytes wait for replies, and at most "
          + "\(maximumCount) of \(maximumLength) may",
        cause: nil)
    }
    count += 1
    length += command.pending.length
    queued.append(command)
    if isAwake { return .queued }
    isAwake = true
    return .wake
  }

  /// The event loop is about to look: commands admitted from now on have to wake it again.
  mutating func awoke() {
    isAwake = false
  }

  /// Moves commands to be sent, oldest first, until they have that many bytes.
  mutating func take(into batch: inout [QueuedCommand], length limit: Int) {
    guard case .ready = phase else { return }
    var taken = 0
    while taken < limit, let command = queued.popFirst() {
      taken += command.pending.length
      batch.append(command)
    }
  }

  /// Gives back the room of commands that were answered or dropped.
  mutating func release(count: Int, length: Int) {
    self.count -= count
    self.length -= length
  }

  /// Removes the unsent commands that are finished or past their deadline.
  mutating func removeExpired(at now: NIODeadline) -> [PendingCommand] {
    guard queued.contains(where: { $0.pending.deadline <= now || $0.pending.isFinished }) else {
      return []
    }
    var expired: [PendingCommand] = []
    var kept = CircularBuffer<QueuedCommand>(initialCapacity: queued.count)
    for command in queued {
      if command.pending.deadline <= now || command.pending.isFinished {
        expired.append(command.pending)
        release(count: 1, length: command.pending.length)
      } else {
        kept.append(command)
      }
    }
    queued = kept
    return expired
  }

  mutating func open() {
    guard !hasEnded else { return }
    phase = .ready
  }

  mutating func hold() {
    guard !hasEnded else { return }
    phase = .holding
  }

  /// Refuses commands from now on; returns those that were waiting.
  mutating func refuse(_ error: RedisError) -> [PendingCommand] {
    guard !hasEnded else { return [] }
    phase = .refusing(error)
    let waiting = queued.map(\.pending)
    queued.removeAll(keepingCapacity: true)
    for command in waiting { release(count: 1, length: command.length) }
    return waiting
  }

  /// Refuses commands for good; returns those that were waiting.
  mutating func end(_ error: RedisError) -> [PendingCommand] {
    defer { hasEnded = true }
    return refuse(error)
  }
}
