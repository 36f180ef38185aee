import Glibc

@testable import ServiceKit

/// A pipe whose reader is the test.
final class Pipe: Sendable {
  /// `F_SETPIPE_SZ`, which the C library's module does not show.
  private static let setSize: Int32 = 1031

  let reader: Int32
  let writer: Int32

  /// - Parameter capacity: in bytes, a power of two of at least a page.
  init(capacity: Int32? = nil) throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw FileFailure(path: "pipe", code: errno) }
    (reader, writer) = (ends[0], ends[1])
    if let capacity, fcntl(writer, Self.setSize, capacity) < 0 {
      throw FileFailure(path: "pipe", code: errno)
    }
  }

  deinit {
    close(reader)
    close(writer)
  }

  /// Reads what is there now; nothing if that is nothing.
  func drain() -> [UInt8] {
    var all: [UInt8] = []
    var state = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
    while poll(&state, 1, 0) > 0 { all += read() }
    return all
  }

  /// Reads until there are so many bytes; waits for them.
  func read(count: Int) -> [UInt8] {
    var all: [UInt8] = []
    while all.count < count { all += read() }
    return all
  }

  private func read() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = max(0, Glibc.read(reader, buffer.baseAddress, buffer.count))
    }
  }
}
