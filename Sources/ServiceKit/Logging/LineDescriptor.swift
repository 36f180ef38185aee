import Glibc
import Synchronization

/// Writes lines of JSON to a file descriptor whose reader may have stalled.
///
/// Lines are logged on event loops and right before a fence acts, so nothing here waits for a
/// reader: a line that finds the pipe full is dropped, and the next one that gets through says how
/// many are missing (`"lines_dropped":3`). Only a line longer than 4096 bytes can meet a full pipe
/// halfway; it waits for at most ``patience``, then its rest is dropped.
///
/// `O_NONBLOCK` would belong to the open file, which other processes share. A pipe that polls
/// writable takes `PIPE_BUF` bytes without blocking (pipe(7)), as long as nobody else fills it
/// meanwhile; files always poll writable.
final class LineDescriptor: Sendable {
  /// `PIPE_BUF` of Linux.
  static let atomicBytes = 4096

  private struct State {
    /// The lines that are missing, in part or whole, since the last one that got through.
    var dropped = 0
    /// Whether the last bytes written are the start of a line that has no end.
    var isMidLine = false
  }

  private let descriptor: Int32
  private let patience: Duration
  private let state = Mutex(State())

  /// - Parameters:
  ///   - descriptor: stays the caller's, and open.
  ///   - patience: the longest that one long line waits in all.
  init(_ descriptor: Int32, patience: Duration = .milliseconds(50)) {
    self.descriptor = descriptor
    self.patience = patience
  }

  /// Writes a line, or drops it.
  ///
  /// - Parameter line: a JSON object with at least one member, and a newline.
  func write(_ line: [UInt8]) {
    // Lines longer than a pipe's atomic write must not mix with others.
    state.withLock { state in
      let isPlain = state.dropped == 0 && !state.isMidLine
      let line = isPlain ? line : Self.line(line, after: state)
      let written = line.withUnsafeBytes { write($0) }
      if written == line.count {
        state = State()
      } else {
        if written > 0 { state.isMidLine = true }
        if state.dropped < .max { state.dropped += 1 }
      }
    }
  }

  /// The line as it says what is missing before it, set apart from what was cut.
  private static func line(_ line: [UInt8], after state: State) -> [UInt8] {
    var result: [UInt8] = state.isMidLine ? [UInt8(ascii: "\n")] : []
    result += line.dropLast(2)
    result += #","lines_dropped":\#(state.dropped)}"#.utf8
    result.append(UInt8(ascii: "\n"))
    return result
  }

  /// Writes as much as gets through, and returns how much that was.
  private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    var count = 0
    var deadline: ContinuousClock.Instant?
    while count < bytes.count {
      if !isWritable(within: 0) {
        guard count > 0 else { return 0 }
        let now = ContinuousClock.now
        let end = deadline ?? now + patience
        deadline = end
        guard now < end else { return count }
        // In steps, as a signal ends a wait early and a step never overflows.
        _ = isWritable(within: Int32(min((end - now) / .milliseconds(1), 1000)) + 1)
        continue
      }
      let chunk = UnsafeRawBufferPointer(
        rebasing: bytes[count..<min(bytes.count, count + Self.atomicBytes)])
      let written = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
      if written > 0 {
        count += written
      } else if written == 0 || errno != EINTR {
        return count
      }
    }
    return count
  }

  /// Whether a write would not block: there is space, or an error to tell.
  private func isWritable(within milliseconds: Int32) -> Bool {
    var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    var ready = poll(&state, 1, milliseconds)
    while ready < 0, errno == EINTR, milliseconds == 0 { ready = poll(&state, 1, 0) }
    return ready > 0
  }
}
