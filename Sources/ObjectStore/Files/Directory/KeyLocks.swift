import Glibc
import Synchronization

/// One writer of a key at a time, among all processes that use the directory.
///
/// Keys share a fixed number of locks. Each is a file that is locked with `flock(2)`, which the
/// operating system releases when a process ends in whatever way, and within this process a mutex.
final class KeyLocks: Sendable {
  // Part of the format: processes with different numbers would not exclude each other.
  private static let count = 64

  private let locks: [Lock]

  private final class Lock: Sendable {
    let file: Mutex<Descriptor>

    init(_ file: Descriptor) { self.file = Mutex(file) }
  }

  /// Makes all files at once: a value can be deleted when there is no room for a file any more.
  ///
  /// - Throws: ``FileFault``.
  init(_ directory: Descriptor) throws(FileFault) {
    var locks: [Lock] = []
    for number in 0..<Self.count {
      locks.append(Lock(try Descriptor(in: directory.number, "\(number)", O_RDWR | O_CREAT)))
    }
    self.locks = locks
  }

  /// Runs `body` while nobody else runs one for this key. Waits only for threads of this process
  /// that do the same.
  ///
  /// - Returns: nil if another process has the lock.
  func tryWithLock<Value: Sendable>(
    _ key: ObjectKey, _ body: () throws(ObjectStoreError) -> Value
  ) throws(ObjectStoreError) -> Value? {
    let number = StableHash.of(key.text.utf8) % UInt64(Self.count)
    let lock = locks[Int(number)]
    return try lock.file.withLock { (file) throws(ObjectStoreError) -> Value? in
      let isLocked = try explaining("cannot lock a key") { () throws(FileFault) in
        try file.tryLock()
      }
      if !isLocked { return nil }
      defer { file.unlock() }
      return try body()
    }
  }
}
