import Glibc

/// Writes to file descriptors.
enum Descriptor {
  /// Writes all bytes, with one `write(2)` unless the kernel takes fewer; gives up on errors,
  /// as there is nowhere left to tell them. Waits for a slow reader, so it is for the output of
  /// commands; logs go through ``LineDescriptor``.
  static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
    guard var position = bytes.baseAddress else { return }
    var left = bytes.count
    while left > 0 {
      let written = write(descriptor, position, left)
      if written > 0 {
        position += written
        left -= written
      } else if written < 0, errno == EAGAIN {
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&state, 1, 1000)
      } else if written < 0, errno != EINTR {
        return
      }
    }
  }
}
