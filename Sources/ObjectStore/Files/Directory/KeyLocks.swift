import Glibc
import Synchronization

/// One writer of a key at a time, among all processes that use the directory.
///
/// Keys share a fixed number of locks. Each is a file that is locked with `flock(2)`, which the
/// operating system releases when a process ends in whatever way, and within this process a mutex.
final class KeyLocks: Sendable {
  // Part of the format: processes with different numbers would not exclude each other.
  private static let count = 64

  private let directory: Descriptor
  private let locks: [Lock]

  private final class Lock: Sendable {
    let name: String
    /// Open from the first use on.
    let file = Mutex<Descriptor?>(nil)

    init(name: String) { self.name = name }
  }

  init(_ directory: Descriptor) {
    self.directory = directory
    locks = (0..<Self.count).map { Lock(name: "\($0)") }
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
        if file == nil {
          file = try Descriptor(in: directory.number, lock.name, O_RDWR | O_CREAT)
        }
        return try file?.tryLock() ?? false
      }
      if !isLocked { return nil }
      defer { file?.unlock() }
      return try body()
    }
  }
}
