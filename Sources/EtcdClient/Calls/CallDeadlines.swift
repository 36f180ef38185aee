import NIOCore
import Synchronization

/// Cancels calls whose time is up.
///
/// One timer looks at all calls now and then while there are any, which is cheaper than a timer for
/// each of thousands per second that almost never fires.
final class CallDeadlines: Sendable {
  private struct Entry: Sendable {
    let deadline: NIODeadline
    let cancel: @Sendable () -> Void
  }

  private struct State {
    var entries: [UInt64: Entry] = [:]
    var lastID: UInt64 = 0
    var isTicking = false
  }

  private static let resolution = TimeAmount.milliseconds(10)

  private let eventLoop: any EventLoop
  private let state = Mutex(State())

  init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  /// Calls `cancel` once after `deadline`, unless the entry is removed before.
  func add(_ deadline: NIODeadline, cancel: @escaping @Sendable () -> Void) -> UInt64 {
    let (id, startsTicking) = state.withLock { state in
      state.lastID += 1
      state.entries[state.lastID] = Entry(deadline: deadline, cancel: cancel)
      defer { state.isTicking = true }
      return (state.lastID, !state.isTicking)
    }
    if startsTicking { scheduleTick() }
    return id
  }

  func remove(_ id: UInt64) { state.withLock { _ = $0.entries.removeValue(forKey: id) } }

  private func scheduleTick() {
    _ = eventLoop.scheduleTask(in: Self.resolution) { self.tick() }
  }

  private func tick() {
    let now = eventLoop.now
    let (overdue, goesOn) = state.withLock { state in
      let overdue = state.entries.filter { $0.value.deadline <= now }
      for id in overdue.keys { state.entries[id] = nil }
      state.isTicking = !state.entries.isEmpty
      return (overdue, state.isTicking)
    }
    for entry in overdue.values { entry.cancel() }
    if goesOn { scheduleTick() }
  }
}
