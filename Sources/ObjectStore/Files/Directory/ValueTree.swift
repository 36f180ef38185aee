import Glibc

/// The directories and files of values: how a file comes to its place and leaves it, so that both
/// last.
///
/// A directory without values is removed, at any moment and by any process; who wants to put a file
/// into one makes it again if it is gone, until it works. A new directory lasts when the one above
/// it was synced; who has seen to that sets its sticky bit, since others may find the directory
/// before and must not rely on it.
struct ValueTree: Sendable {
  private static let maximumTurns = 1000

  /// Of `values/`.
  let root: Descriptor

  /// Moves a file to its place, over what is there. Readers see it from now on; it lasts after
  /// ``sync(_:)``.
  ///
  /// - Throws: ``FileFault``. The file is where it was then.
  func place(_ name: String, in directory: Descriptor, at path: ValuePath) throws(FileFault) {
    do throws(FileFault) {
      try rename(name, in: directory, to: path)
    } catch {
      // Directories may have been made for it.
      prune(path.directories)
      throw error
    }
  }

  private func rename(
    _ name: String, in directory: Descriptor, to path: ValuePath
  ) throws(FileFault) {
    // Each turn is lost only to another process that emptied a directory right then.
    for turn in 0... {
      do throws(FileFault) {
        try retryingInterrupts { renameat(directory.number, name, root.number, path.text) }
        return
      } catch {
        if error.code != ENOENT || turn == Self.maximumTurns { throw error }
      }
      // The file itself is missing: someone removed what is not theirs.
      try retryingInterrupts { faccessat(directory.number, name, F_OK, 0) }
      for directory in path.directories.reversed() { try makeDirectory(directory) }
    }
  }

  /// Removes a file if it is there, and the directories that are empty without it.
  ///
  /// - Throws: ``FileFault``.
  func remove(_ path: ValuePath) throws(FileFault) {
    do throws(FileFault) {
      try retryingInterrupts { unlinkat(root.number, path.text, 0) }
    } catch {
      if !error.isMissing { throw error }
    }
    prune(path.directories)
  }

  /// Removes directories that are empty.
  ///
  /// - Parameter directories: the deepest first.
  func prune(_ directories: [String]) {
    for directory in directories {
      let isGone = unlinkat(root.number, directory, AT_REMOVEDIR) == 0 || errno == ENOENT
      if !isGone { return }
    }
  }

  /// Makes the presence or absence of a file last.
  ///
  /// - Throws: ``FileFault``.
  func sync(_ path: ValuePath) throws(FileFault) {
    let directories = path.directories
    var hasSynced = false
    for (index, name) in directories.enumerated() {
      // Gone again with all that was in it: the one above counts.
      guard let directory = try openIfThere(name) else { continue }
      if !hasSynced { try directory.sync() }
      hasSynced = true
      let mode = try directory.status().st_mode
      if mode & S_ISVTX != 0 { continue }
      let above = index + 1 < directories.count ? try openIfThere(directories[index + 1]) : root
      try above?.sync()
      // By its descriptor, as another one may have its name by now. Whoever may not do it syncs
      // the next time too.
      _ = fchmod(directory.number, mode & 0o7777 | S_ISVTX)
    }
    if !hasSynced { try root.sync() }
  }

  private func openIfThere(_ directory: String) throws(FileFault) -> Descriptor? {
    do throws(FileFault) {
      return try Descriptor(in: root.number, directory, O_RDONLY | O_DIRECTORY)
    } catch {
      if error.isMissing { return nil }
      throw error
    }
  }

  private func makeDirectory(_ directory: String) throws(FileFault) {
    do throws(FileFault) {
      try retryingInterrupts { mkdirat(root.number, directory, 0o700) }
    } catch {
      // The one above may be gone again, which the caller's next turn mends.
      if error.code != EEXIST && error.code != ENOENT { throw error }
    }
  }
}
