import Glibc
import Synchronization

/// An open file or directory, closed with the last reference.
final class Descriptor: Sendable {
  /// Closing a file of this size may take long: if it has no name any more, its blocks are freed.
  private static let largeSize = 8 << 20

  let number: CInt
  private let isLarge = Atomic(false)

  /// - Throws: ``FileFault``.
  init(
    in directory: CInt = AT_FDCWD, _ path: String, _ flags: CInt, mode: mode_t = 0o600
  ) throws(FileFault) {
    number = try retryingInterrupts { openat(directory, path, flags | O_CLOEXEC, mode) }
  }

  deinit {
    let number = number
    if isLarge.load(ordering: .relaxed) {
      FileThreads.single.submit { _ = close(number) }
    } else {
      close(number)
    }
  }

  func status() throws(FileFault) -> stat {
    var status = stat()
    try retryingInterrupts { fstat(number, &status) }
    if status.st_size >= Self.largeSize { isLarge.store(true, ordering: .relaxed) }
    return status
  }

  /// - Returns: when what was written is on the disk.
  func sync() throws(FileFault) { try retryingInterrupts { fsync(number) } }

  /// Takes the lock of `flock(2)`, which ends with the descriptor.
  ///
  /// - Returns: false if another one has it.
  func tryLock() throws(FileFault) -> Bool {
    do throws(FileFault) {
      try retryingInterrupts { flock(number, LOCK_EX | LOCK_NB) }
      return true
    } catch {
      if error.code == EWOULDBLOCK { return false }
      throw error
    }
  }

  func unlock() { _ = flock(number, LOCK_UN) }
}
