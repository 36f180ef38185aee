import Synchronization

@testable import PodHook

/// The Pod's note, kept here.
final class MemoryMark: OpenedMark {
  private let giveUpAt = Mutex<Duration?>(nil)

  func read() -> Duration? { giveUpAt.withLock { $0 } }
  func write(giveUpAt moment: Duration) { giveUpAt.withLock { $0 = moment } }
  func erase() { giveUpAt.withLock { $0 = nil } }
}

/// The exit codes that a process would have ended with.
final class MemoryExits: Sendable {
  private let noted = Mutex<[Int32]>([])

  var codes: [Int32] { noted.withLock { $0 } }
  func note(_ code: Int32) { noted.withLock { $0.append(code) } }
}
