/// Walks the directories of values in the order of keys, as far as a page needs. Blocks.
struct FileListing {
  private let files: StoreFiles
  private let givingUp: GivingUp
  private let prefix: [UInt8]
  private var builder: PageBuilder
  private let levelSize: Int
  /// The directories from the topmost that is looked at down to where the walk is.
  private var levels: [DirectoryPage] = []
  /// Keys whose files are no values.
  private(set) var damaged: [ObjectKey] = []

  init(_ files: StoreFiles, _ request: ListRequest, _ givingUp: GivingUp) {
    self.files = files
    self.givingUp = givingUp
    prefix = Array(request.prefix.utf8)
    builder = PageBuilder(request)
    // Enough for a page and one more, without reading the directory again.
    levelSize = min(max(request.limit, 64), ListRequest.maximumLimit) + 1
  }

  mutating func page() throws(ObjectStoreError) -> ListPage {
    // What all keys with the prefix have in common needs no search.
    let common = prefix.lastIndex(of: UInt8(ascii: "/")).map { prefix[...$0] } ?? []
    try enter(ValuePath.directory(ofKeysWith: common), below: Array(common))
    while let child = try nextChild() {
      if child.kind != .value {
        let path = levels.last.map(\.path) ?? ""
        try enter(path.isEmpty ? child.name : "\(path)/\(child.name)", below: child.beginning)
      } else if let object = try object(child) {
        guard builder.add(object) else { break }
      }
    }
    return builder.page
  }

  private mutating func enter(_ path: String, below prefix: [UInt8]) throws(ObjectStoreError) {
    var level = DirectoryPage(path, below: prefix, size: levelSize)
    try read(&level)
    levels.append(level)
  }

  /// The next child that may have something for the page.
  private mutating func nextChild() throws(ObjectStoreError) -> DirectoryChild? {
    while var level = levels.popLast() {
      try givingUp.check()
      if let child = level.next() {
        levels.append(level)
        // Since it was read, a fold may have jumped over it.
        if isWanted(child.kind, child.beginning) { return child }
      } else if level.hasMore {
        try read(&level)
        levels.append(level)
      }
    }
    return nil
  }

  private func read(_ level: inout DirectoryPage) throws(ObjectStoreError) {
    try level.read(from: files.directory.values, givingUp) { isWanted($0, $1) }
  }

  private func isWanted(_ kind: FileName.Kind, _ beginning: [UInt8]) -> Bool {
    switch kind {
    case .value: beginning.starts(with: prefix) && builder.position.isBefore(beginning)
    case .directory, .continuation:
      (beginning.starts(with: prefix) || prefix.starts(with: beginning))
        && builder.position.mayBeBefore(keysWith: beginning)
    }
  }

  /// Nil for what is no value any more, or has expired.
  private mutating func object(_ child: DirectoryChild) throws(ObjectStoreError) -> ListedObject? {
    let key: ObjectKey
    do { key = try ObjectKey(child.beginning) } catch { return nil }
    do throws(ObjectStoreError) {
      return try files.info(key).map { ListedObject(key, $0) }
    } catch {
      guard error.kind == .corrupt else { throw error }
      damaged.append(key)
      return nil
    }
  }
}
