import NIOCore
import Synchronization

/// The open connections of a server, and which of them are idle: between two requests, or before
/// the head of their first.
final class MonitorConnections: Sendable {
  private struct Entry {
    let channel: any Channel
    /// When it became idle, in the order of all connections; `nil` while a request is under way.
    var idleSince: UInt64?
    /// Whether it had to make room for another one.
    var isEvicted = false
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    var evicted = 0
    var turn: UInt64 = 0
    var isQuiescing = false

    mutating func nextTurn() -> UInt64 {
      turn += 1
      return turn
    }

    /// Takes the place of the connection that has been idle for the longest time, if any is.
    ///
    /// One that closes may take a while (TLS says goodbye), so those are bounded too.
    mutating func evict(limit: Int) -> (any Channel)? {
      let idle = entries.lazy.compactMap { id, entry in
        entry.isEvicted ? nil : entry.idleSince.map { (id: id, since: $0) }
      }
      guard evicted < limit, let oldest = idle.min(by: { $0.since < $1.since }) else { return nil }
      evicted += 1
      entries[oldest.id]?.isEvicted = true
      return entries[oldest.id]?.channel
    }
  }

  private let state = Mutex(State())

  /// Notes a connection, as idle; false if the server is about to end or there are too many, and
  /// none of them is idle. An idle one is closed to make room.
  func add(_ channel: any Channel, limit: Int) -> Bool {
    var evicted: (any Channel)?
    let isAdded = state.withLock { state in
      guard !state.isQuiescing else { return false }
      if state.entries.count - state.evicted >= limit {
        evicted = state.evict(limit: limit)
        guard evicted != nil else { return false }
      }
      state.entries[ObjectIdentifier(channel)] = Entry(
        channel: channel, idleSince: state.nextTurn())
      return true
    }
    evicted?.close(promise: nil)
    return isAdded
  }

  func markBusy(_ channel: any Channel) {
    state.withLock { $0.entries[ObjectIdentifier(channel)]?.idleSince = nil }
  }

  func markIdle(_ channel: any Channel) {
    state.withLock { state in
      let turn = state.nextTurn()
      state.entries[ObjectIdentifier(channel)]?.idleSince = turn
    }
  }

  func remove(_ channel: any Channel) {
    state.withLock { state in
      let removed = state.entries.removeValue(forKey: ObjectIdentifier(channel))
      if removed?.isEvicted == true { state.evicted -= 1 }
    }
  }

  /// Ends idle connections now and the others after their current response.
  ///
  /// Only the first call does something: NIO asserts that a connection is told once, and there are
  /// no new ones after it.
  func quiesce() {
    let channels = state.withLock { state -> [any Channel] in
      if state.isQuiescing { return [] }
      state.isQuiescing = true
      return state.entries.values.map(\.channel)
    }
    for channel in channels {
      channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }
}
