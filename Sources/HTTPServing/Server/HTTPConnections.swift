import NIOCore
import Synchronization

/// The open connections of a server.
final class HTTPConnections: Sendable {
  final class Entry: Sendable {
    let channel: any Channel
    /// When it became idle, by its event loop's clock; 0 while a request is under way.
    let idleSince = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)
    /// Since when a request or its answer waits for the client; 0 while it does not.
    let waitSince = Atomic<UInt64>(0)

    init(_ channel: any Channel) { self.channel = channel }
  }

  /// Asks a connection to make room. Only its event loop knows whether a request begins just now.
  struct Eviction: Sendable {
    let spare: @Sendable () -> Void
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    var isStopping = false
  }

  private let state = Mutex(State())
  private let limit: Int
  private let evictionTime: TimeAmount

  init(limit: Int, evictionTime: TimeAmount) {
    self.limit = limit
    self.evictionTime = evictionTime
  }

  var count: Int { state.withLock { $0.entries.count } }

  /// Notes a new connection; nil if the server is about to end, or is full of busy ones. There can
  /// be more than the limit for a moment, by those that are spared.
  func add(_ channel: any Channel) -> Entry? {
    let entry = Entry(channel)
    let (isAdded, evicted) = state.withLock { state -> (Bool, [Entry]) in
      if state.isStopping { return (false, []) }
      var evicted: [Entry] = []
      if state.entries.count >= limit {
        evicted = longestWaiting(state.entries.values, atMost: max(1, limit / 32))
        if evicted.isEmpty { return (false, []) }
        for entry in evicted { state.entries[ObjectIdentifier(entry.channel)] = nil }
      }
      state.entries[ObjectIdentifier(channel)] = entry
      return (true, evicted)
    }
    for entry in evicted {
      let eviction = Eviction { [self] in keep(entry) }
      entry.channel.pipeline.fireUserInboundEventTriggered(eviction)
    }
    return isAdded ? entry : nil
  }

  /// Takes one back that was to make room; on its event loop.
  private func keep(_ entry: Entry) {
    let isStopping = state.withLock { state in
      state.entries[ObjectIdentifier(entry.channel)] = entry
      return state.isStopping
    }
    if isStopping {
      entry.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }

  func remove(_ channel: any Channel) {
    _ = state.withLock { $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
  }

  /// Several at once, so that a crowd of newcomers does not look through all of them each time.
  private func longestWaiting(
    _ entries: some Sequence<Entry>, atMost count: Int
  ) -> [Entry] {
    let longAgo = (NIODeadline.now() - evictionTime).uptimeNanoseconds
    var idle: [(since: UInt64, entry: Entry)] = []
    var stalled: [(since: UInt64, entry: Entry)] = []
    for entry in entries {
      let since = entry.idleSince.load(ordering: .relaxed)
      if since != 0 {
        idle.append((since, entry))
        continue
      }
      let waiting = entry.waitSince.load(ordering: .relaxed)
      if waiting != 0, waiting <= longAgo { stalled.append((waiting, entry)) }
    }
    let chosen = idle.isEmpty ? stalled : idle
    return chosen.sorted { $0.since < $1.since }.prefix(count).map(\.entry)
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

  /// Ends all that are left at once.
  func closeAll() {
    let channels = state.withLock { $0.entries.values.map(\.channel) }
    for channel in channels { channel.close(promise: nil) }
  }
}
