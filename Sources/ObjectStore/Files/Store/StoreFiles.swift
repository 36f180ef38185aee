import Glibc
import Synchronization

/// The directory of a store with all that is done to it by calls that block.
final class StoreFiles: Sendable {
  let directory: StoreDirectory
  let locks: KeyLocks
  let tree: ValueTree
  let clock: WallClock
  /// Whether the file system says which reads would wait. If not, small values are read at once
  /// nevertheless, and large ones on a thread.
  let tellsWaiting: Bool
  private let expiring: Atomic<Bool>

  /// - Throws: ``FileFault``.
  init(_ directory: StoreDirectory, clock: WallClock) throws(FileFault) {
    self.directory = directory
    self.clock = clock
    locks = try KeyLocks(directory.locks)
    tree = ValueTree(root: directory.values)
    tellsWaiting = try directory.tellsWaiting()
    expiring = Atomic(directory.mayHaveExpiring)
  }

  /// What a key has, expired or not.
  ///
  /// - Throws: `corrupt`, or what the disk gives.
  func open(
    _ key: ObjectKey, waiting: Bool
  ) throws(ObjectStoreError) -> ValueFile.Opening {
    try ValueFile.open(
      key, at: ValuePath(key), in: directory.values, waiting: waiting || !tellsWaiting)
  }

  /// What a key has that has not expired.
  func info(_ key: ObjectKey) throws(ObjectStoreError) -> ObjectInfo? {
    guard case .value(let file) = try open(key, waiting: true) else { return nil }
    let info = file.header.info
    return info.isExpired(at: clock.now) ? nil : info
  }

  func check(_ condition: WriteCondition, for key: ObjectKey) throws(ObjectStoreError) {
    // Without a condition a damaged file is no hindrance.
    if condition == .none { return }
    guard condition.holds(for: try info(key)) else { throw .conditionFailed(condition) }
  }

  /// Moves a file that was written into the place of its key, if the condition holds.
  ///
  /// - Returns: false if another process is changing the key; nothing was done then.
  func publish(
    _ file: TemporaryFile, as key: ObjectKey, if condition: WriteCondition
  ) throws(ObjectStoreError) -> Bool {
    try change(key, "cannot put a value in its place") {
      path throws(ObjectStoreError) in
      try check(condition, for: key)
      try explaining("cannot put a value in its place") { () throws(FileFault) in
        try tree.place(file.name, in: directory.own, at: path)
      }
    }
  }

  /// - Returns: false if another process is changing the key; nothing was done then.
  func remove(
    _ key: ObjectKey, if condition: WriteCondition
  ) throws(ObjectStoreError) -> Bool {
    try change(key, "cannot delete a value") { path throws(ObjectStoreError) in
      try check(condition, for: key)
      try explaining("cannot delete a value") { () throws(FileFault) in
        try tree.remove(path)
      }
    }
  }

  /// Removes a value if it has expired, also in the eyes of those who write it right now.
  func removeExpired(_ key: ObjectKey) throws(ObjectStoreError) -> Bool {
    let path = ValuePath(key)
    let isRemoved = try locks.tryWithLock(key) { () throws(ObjectStoreError) in
      guard case .value(let file) = try open(key, waiting: true),
        file.header.info.isExpired(at: clock.now)
      else { return false }
      try explaining("cannot remove an expired value") { () throws(FileFault) in
        try tree.remove(path)
      }
      return true
    }
    return isRemoved ?? false
  }

  /// Whether there may be a value that expires; another process may have stored it.
  var mayExpire: Bool { expiring.load(ordering: .relaxed) || directory.mayHaveExpiring }

  /// To be called before a value that expires is put in its place.
  func expectExpiry() throws(ObjectStoreError) {
    if expiring.load(ordering: .relaxed) { return }
    try explaining("cannot note that values expire") { () throws(FileFault) in
      try directory.markExpiring()
    }
    expiring.store(true, ordering: .relaxed)
  }

  private func change(
    _ key: ObjectKey, _ attempt: String,
    _ body: (ValuePath) throws(ObjectStoreError) -> Void
  ) throws(ObjectStoreError) -> Bool {
    let path = ValuePath(key)
    // While it is open, the blocks of what goes are not freed: that can wait until this is done.
    let previous = try? Descriptor(in: directory.values.number, path.text, O_RDONLY)
    _ = try? previous?.status()
    defer { withExtendedLifetime(previous) {} }
    let done = try locks.tryWithLock(key) { () throws(ObjectStoreError) in
      try body(path)
      return true
    }
    guard done == true else { return false }
    // Who comes next sees the change already, and syncs it too.
    try explaining(attempt, mayHaveRun: true) { () throws(FileFault) in
      try tree.sync(path)
    }
    return true
  }
}
