import NIOCore
import Synchronization

/// The open connections of a server.
final class MonitorConnections: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isQuiescing = false
  }

  private let state = Mutex(State())

  /// Notes a connection; false if there are too many, or the server is about to end.
  func add(_ channel: any Channel, limit: Int) -> Bool {
    state.withLock { state in
      guard !state.isQuiescing, state.channels.count < limit else { return false }
      state.channels[ObjectIdentifier(channel)] = channel
      return true
    }
  }

  func remove(_ channel: any Channel) {
    state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
  }

  /// Ends idle connections now and the others after their current response.
  ///
  /// Only the first call does something: NIO asserts that a connection is told once, and there are
  /// no new ones after it.
  func quiesce() {
    let channels = state.withLock { state -> [any Channel] in
      if state.isQuiescing { return [] }
      state.isQuiescing = true
      return Array(state.channels.values)
    }
    for channel in channels {
      channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }
}
