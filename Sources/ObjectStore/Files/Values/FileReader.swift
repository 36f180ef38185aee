import CLinux
import Glibc
import NIOCore
import Synchronization

/// Reads an open file, into the same memory again when its last reader has let go of it.
final class FileReader: Sendable {
  private let descriptor: Descriptor
  private let spent = Mutex(ByteBuffer())

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  func size() throws(FileFault) -> Int { Int(try descriptor.status().st_size) }

  /// Tells the operating system to read ahead.
  func expectSequence() { _ = posix_fadvise(descriptor.number, 0, 0, POSIX_FADV_SEQUENTIAL) }

  /// - Parameter waiting: whether it may wait for the disk.
  /// - Returns: what is there, at most `count` bytes and none only at the end; nil if the disk would
  ///   have to be waited for, or might.
  func read(at offset: Int, count: Int, waiting: Bool) throws(FileFault) -> ByteBuffer? {
    var buffer = spent.withLock { spent in
      let buffer = spent
      spent = ByteBuffer()
      return buffer
    }
    buffer.clear(minimumCapacity: count)
    let number = descriptor.number
    do throws(FileFault) {
      try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) {
        bytes throws(FileFault) in
        try retryingInterrupts {
          waiting
            ? pread(number, bytes.baseAddress, count, off_t(offset))
            : linux_pread_nowait(number, bytes.baseAddress, count, Int64(offset))
        }
      }
    } catch {
      if !waiting && (error.code == EAGAIN || Self.cannotTell.contains(error.code)) { return nil }
      throw error
    }
    spent.withLock { $0 = buffer }
    return buffer
  }

  /// Whether the file system says what is in memory. Those that don't mostly have everything there.
  var tellsWaiting: Bool {
    var byte: UInt8 = 0
    return linux_pread_nowait(descriptor.number, &byte, 1, 0) >= 0
      || !Self.cannotTell.contains(errno)
  }

  private static let cannotTell: Set<CInt> = [EOPNOTSUPP, ENOSYS, EPERM]
}
