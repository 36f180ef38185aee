import NIOCore
import Synchronization

/// The open connections of a server.
final class HTTPConnections: Sendable {
  final class Entry: Sendable {
    let channel: any Channel
    /// When it became idle, by its event loop's clock; 0 while a request is under way.
    let idleSince = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)

    init(_ channel: any Channel) { self.channel = channel }
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    var isStopping = false
  }

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var count: Int { state.withLock { $0.entries.count } }

  /// Notes a new connection; nil if the server is about to end, or is full of busy ones.
  func add(_ channel: any Channel) -> Entry? {
    let entry = Entry(channel)
    let (isAdded, evicted) = state.withLock { state -> (Bool, [Entry]) in
      if state.isStopping { return (false, []) }
      var evicted: [Entry] = []
      if state.entries.count >= limit {
        evicted = Self.longestIdle(state.entries.values, atMost: max(1, limit / 32))
        if evicted.isEmpty { return (false, []) }
        for entry in evicted { state.entries[ObjectIdentifier(entry.channel)] = nil }
      }
      state.entries[ObjectIdentifier(channel)] = entry
      return (true, evicted)
    }
    for entry in evicted { entry.channel.close(promise: nil) }
    return isAdded ? entry : nil
  }

  func remove(_ channel: any Channel) {
    _ = state.withLock { $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
  }

  /// Several at once, so that a crowd of newcomers does not look through all of them each time.
  private static func longestIdle(_ entries: some Sequence<Entry>, atMost count: Int) -> [Entry] {
    let idle = entries.compactMap { entry -> (since: UInt64, entry: Entry)? in
      let since = entry.idleSince.load(ordering: .relaxed)
      return since == 0 ? nil : (since, entry)
    }
    return idle.sorted { $0.since < $1.since }.prefix(count).map(\.entry)
  }

  /// Ends idle connections now and the others after their current answer. Only the first call does
  /// something.
  func stop() {
    let channels = state.withLock { state -> [any Channel] in
      if state.isStopping { return [] }
      state.isStopping = true
      return state.entries.values.map(\.channel)
    }
    for channel in channels {
      channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }
}
