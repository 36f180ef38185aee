import Logging
import ServiceKit
import Synchronization

/// Things that come in from anywhere, kept in order, to wait for.
final class Collected<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var all: [Element] { state.withLock(\.elements) }

  func append(_ element: Element) {
    let ready = state.withLock { state in
      state.elements.append(element)
      let count = state.elements.count
      let ready = state.waiters.filter { $0.count <= count }
      state.waiters.removeAll { $0.count <= count }
      return ready
    }
    for waiter in ready { waiter.continuation.resume() }
  }

  /// The elements, once there are at least as many; the test's time limit bounds the wait.
  func first(_ count: Int) async -> [Element] {
    await withCheckedContinuation { continuation in
      let isReady = state.withLock { state in
        if state.elements.count >= count { return true }
        state.waiters.append((count, continuation))
        return false
      }
      if isReady { continuation.resume() }
    }
    return all
  }
}

extension Collected<[UInt8]> {
  /// A logger whose lines come here.
  func logger(level: Logger.Level = .trace) -> Logger {
    Logger(label: "test") { label in
      JSONLogHandler(label: label, level: level, sink: LogSink { self.append($0) })
    }
  }

  var lines: [String] { all.map { String(decoding: $0, as: UTF8.self) } }
}

extension Logger {
  /// A logger that says nothing.
  static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}
