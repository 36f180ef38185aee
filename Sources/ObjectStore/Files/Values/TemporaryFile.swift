import CLinux
import Glibc
import NIOCore

/// A file that a value is written to before it gets its place. Whoever makes one discards it or
/// sees it renamed.
final class TemporaryFile: Sendable {
  let name: String
  private let directory: Descriptor
  private let descriptor: Descriptor

  init(in directory: Descriptor) throws(ObjectStoreError) {
    name = ETag.random().text
    self.directory = directory
    descriptor = try explaining("cannot make a file for a value") {
      [name] () throws(FileFault) in
      try Descriptor(in: directory.number, name, O_WRONLY | O_CREAT | O_EXCL)
    }
  }

  func write(_ buffer: ByteBuffer, at offset: Int) throws(ObjectStoreError) {
    try explaining("cannot write a value") { () throws(FileFault) in
      try buffer.withUnsafeReadableBytes { bytes throws(FileFault) in
        var written = 0
        while written < bytes.count {
          let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
          written += try retryingInterrupts {
            pwrite(descriptor.number, rest.baseAddress, rest.count, off_t(offset + written))
          }
        }
      }
    }
  }

  /// Begins to move what was written to the disk, so that ``sync()`` has less to wait for.
  func beginSync(of range: Range<Int>) {
    _ = linux_begin_writing(descriptor.number, Int64(range.lowerBound), Int64(range.count))
  }

  func sync() throws(ObjectStoreError) {
    try explaining("cannot write a value") { () throws(FileFault) in try descriptor.sync() }
  }

  /// Harmless after it was renamed.
  func discard() { unlinkat(directory.number, name, 0) }
}
