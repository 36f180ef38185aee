import Glibc

/// The directory of a file store, shared by all processes that use it:
///
/// | below it | holds |
/// | --- | --- |
/// | `values/` | the tree of ``ValuePath``s |
/// | `temporary/<process>/` | what a process is writing; it keeps a lock on it while it lives |
/// | `locks/` | files that writers lock, see ``KeyLocks`` |
/// | `expiring` | there is or was a value that expires |
final class StoreDirectory: Sendable {
  let root: Descriptor
  let values: Descriptor
  let locks: Descriptor
  let temporary: Descriptor
  /// This process's own, which is removed again if it is empty at the end.
  let own: Descriptor
  private let ownName: String

  /// Makes what is missing, and removes what processes left that were killed.
  ///
  /// - Throws: ``FileFault``.
  init(_ path: String) throws(FileFault) {
    try Self.makeDirectories(path)
    root = try Descriptor(path, O_RDONLY | O_DIRECTORY)
    values = try Self.directory("values", in: root)
    locks = try Self.directory("locks", in: root)
    temporary = try Self.directory("temporary", in: root)
    try root.sync()
    (own, ownName) = try Self.makeOwn(in: temporary)
    try removeLeftovers()
  }

  deinit { unlinkat(temporary.number, ownName, AT_REMOVEDIR) }

  /// Removes the temporary files of processes that live no more.
  ///
  /// - Throws: ``FileFault``.
  func removeLeftovers() throws(FileFault) {
    let names = try DirectoryNames(temporary, ".").all()
    for name in names where name != ownName {
      // Another process may remove it at the same time.
      guard let directory = try? Descriptor(in: temporary.number, name, O_RDONLY | O_DIRECTORY),
        try directory.tryLock()
      else { continue }
      for file in try DirectoryNames(directory, ".").all() {
        _ = unlinkat(directory.number, file, 0)
      }
      _ = unlinkat(temporary.number, name, AT_REMOVEDIR)
    }
  }

  private static func makeOwn(in temporary: Descriptor) throws(FileFault) -> (Descriptor, String) {
    while true {
      let name = ETag.random().text
      try retryingInterrupts { mkdirat(temporary.number, name, 0o700) }
      // Until it is locked, a process that begins takes it for a leftover.
      do throws(FileFault) {
        let directory = try Descriptor(in: temporary.number, name, O_RDONLY | O_DIRECTORY)
        var named = stat()
        if try directory.tryLock(), fstatat(temporary.number, name, &named, 0) == 0,
          try directory.status().st_ino == named.st_ino
        {
          return (directory, name)
        }
      } catch {
        if !error.isMissing { throw error }
      }
    }
  }

  private static func directory(
    _ name: String, in root: Descriptor
  ) throws(FileFault) -> Descriptor {
    try makeDirectory(name, in: root.number)
    return try Descriptor(in: root.number, name, O_RDONLY | O_DIRECTORY)
  }

  /// Makes a directory and those above it that are missing, durably.
  private static func makeDirectories(_ path: String) throws(FileFault) {
    let parents = ValuePath.directories(of: path).reversed().filter { !$0.isEmpty }
    var above = path.utf8.first == UInt8(ascii: "/") ? "/" : "."
    for directory in parents + [path] {
      if try makeDirectory(directory, in: AT_FDCWD) {
        try Descriptor(above, O_RDONLY | O_DIRECTORY).sync()
      }
      above = directory
    }
  }

  /// - Returns: whether it was not there.
  @discardableResult
  private static func makeDirectory(_ path: String, in parent: CInt) throws(FileFault) -> Bool {
    do throws(FileFault) {
      try retryingInterrupts { mkdirat(parent, path, 0o700) }
      return true
    } catch {
      // What is there may be a link to a directory, or lie in one that cannot be written.
      var status = stat()
      if fstatat(parent, path, &status, 0) == 0, status.st_mode & S_IFMT == S_IFDIR { return false }
      throw error
    }
  }
}
