/// Looks at all values once, and removes those that have expired. Blocks.
struct FileSweep {
  struct Outcome: Sendable, Hashable {
    var removed = 0
    var damaged: [ObjectKey] = []
  }

  /// Of more damaged files a log would not say more.
  private static let maximumDamaged = 100

  private struct Level {
    let path: String
    let prefix: [UInt8]
    var directories: [(name: String, beginning: [UInt8])] = []
  }

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
      guard let (name, beginning) = level.directories.popLast() else {
        // A process may have died between making it and putting a value into it. Who is about to
        // do so makes it again.
        if !level.path.isEmpty { files.tree.prune([level.path]) }
        continue
      }
      levels.append(level)
      levels.append(
        try look(at: level.path.isEmpty ? name : "\(level.path)/\(name)", below: beginning))
    }
    return outcome
  }

  private mutating func look(
    at path: String, below prefix: [UInt8]
  ) throws(ObjectStoreError) -> Level {
    var level = Level(path: path, prefix: prefix)
    var scratch: [UInt8] = []
    try DirectoryNames.forEach(in: files.directory.values, path) {
      name throws(ObjectStoreError) in
      try givingUp.check()
      switch DirectoryChild.kind(of: name, below: prefix, &scratch) {
      case .value: try look(atValue: scratch)
      case .directory, .continuation:
        level.directories.append((String(decoding: name, as: UTF8.self), scratch))
      case nil: break
      }
    }
    return level
  }

  private mutating func look(atValue bytes: [UInt8]) throws(ObjectStoreError) {
    let key: ObjectKey
    do { key = try ObjectKey(bytes) } catch { return }
    do throws(ObjectStoreError) {
      guard case .value(let file) = try files.open(key, waiting: true),
        file.header.isExpired(at: files.clock.now)
      else { return }
      if try files.removeExpired(key) { outcome.removed += 1 }
    } catch {
      guard error.kind == .corrupt else { throw error }
      if outcome.damaged.count < Self.maximumDamaged { outcome.damaged.append(key) }
    }
  }
}
