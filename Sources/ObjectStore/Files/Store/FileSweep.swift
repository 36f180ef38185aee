/// Looks at all values once, and removes those that have expired. Blocks.
struct FileSweep {
  struct Outcome: Sendable {
    var removed = 0
    /// Files that are no values.
    var damaged = 0
    /// Files and directories that could not be read.
    var unreadable = 0
    /// What was said of the first of them.
    var reason: ObjectStoreError?
  }

  /// How many directories of one level are kept in memory at a time.
  private static let levelSize = 4096

  private let files: StoreFiles
  private let givingUp: GivingUp
  private var outcome = Outcome()

  init(_ files: StoreFiles, _ givingUp: GivingUp) {
    self.files = files
    self.givingUp = givingUp
  }

  mutating func run() throws(ObjectStoreError) -> Outcome {
    var levels = [try look(at: "", below: [])]
    while var level = levels.popLast() {
      var next = level.next()
      if next == nil, level.hasMore {
        try read(&level)
        next = level.next()
      }
      guard let child = next else {
        // A process may have died between making it and putting a value into it. Who is about to
        // do so makes it again.
        if !level.path.isEmpty { files.tree.prune([level.path]) }
        continue
      }
      levels.append(level)
      levels.append(
        try look(
          at: level.path.isEmpty ? child.name : "\(level.path)/\(child.name)",
          below: child.beginning))
    }
    return outcome
  }

  /// Looks at the values of a directory, and returns the directories in it.
  private mutating func look(
    at path: String, below prefix: [UInt8]
  ) throws(ObjectStoreError) -> DirectoryPage {
    var level = DirectoryPage(path, below: prefix, size: Self.levelSize)
    var hasDirectories = false
    var scratch: [UInt8] = []
    do throws(ObjectStoreError) {
      try DirectoryNames.forEach(in: files.directory.values, path) {
        name throws(ObjectStoreError) in
        try givingUp.check()
        switch DirectoryChild.kind(of: name, below: prefix, &scratch) {
        case .value: look(atValue: scratch)
        case .directory, .continuation: hasDirectories = true
        case nil: break
        }
      }
    } catch {
      try passOver(error)
    }
    if hasDirectories { try read(&level) }
    return level
  }

  private mutating func read(_ level: inout DirectoryPage) throws(ObjectStoreError) {
    do throws(ObjectStoreError) {
      try level.read(from: files.directory.values, givingUp) { kind, _ in kind != .value }
    } catch {
      try passOver(error)
    }
  }

  /// One that cannot be read is no reason to leave all others where they are.
  private mutating func passOver(_ error: ObjectStoreError) throws(ObjectStoreError) {
    if error.kind == .cancelled { throw error }
    outcome.unreadable += 1
    outcome.reason = outcome.reason ?? error
  }

  private mutating func look(atValue bytes: [UInt8]) {
    let key: ObjectKey
    do { key = try ObjectKey(bytes) } catch { return }
    do throws(ObjectStoreError) {
      guard case .value(let file) = try files.open(key, waiting: true),
        file.header.isExpired(at: files.clock.now)
      else { return }
      if try files.removeExpired(key) { outcome.removed += 1 }
    } catch {
      if error.kind == .corrupt {
        outcome.damaged += 1
      } else {
        outcome.unreadable += 1
        outcome.reason = outcome.reason ?? error
      }
    }
  }
}
