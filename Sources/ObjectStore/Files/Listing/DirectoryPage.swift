/// The first children of a directory behind a position, in order. A directory may have more than
/// there is memory for: it is read again for the next ones.
struct DirectoryPage {
  let path: String
  /// What all keys of the directory begin with.
  let prefix: [UInt8]
  /// The most children that are kept.
  private let size: Int
  private var children: [DirectoryChild] = []
  private var nextIndex = 0
  private(set) var hasMore = false

  /// - Parameters:
  ///   - path: empty for the topmost.
  ///   - prefix: what all keys of the directory begin with.
  ///   - size: the most children that are kept.
  init(_ path: String, below prefix: [UInt8], size: Int) {
    self.size = size
    self.path = path
    self.prefix = prefix
  }

  /// The next child of those that were read.
  mutating func next() -> DirectoryChild? {
    guard nextIndex < children.count else { return nil }
    defer { nextIndex += 1 }
    return children[nextIndex]
  }

  /// Reads the children behind those that ``next()`` gave, as far as they are wanted. A directory
  /// that is gone has none.
  mutating func read(
    from root: Descriptor, _ givingUp: GivingUp,
    wanted: (FileName.Kind, _ beginning: [UInt8]) -> Bool
  ) throws(ObjectStoreError) {
    let last = children.last?.rank
    // Beyond this rank nothing fits in any more.
    var bound: [UInt8]?
    var found: [DirectoryChild] = []
    var scratch: [UInt8] = []
    children = []
    nextIndex = 0
    hasMore = false
    try DirectoryNames.forEach(in: root, path) { name throws(ObjectStoreError) in
      try givingUp.check()
      guard let kind = DirectoryChild.kind(of: name, below: prefix, &scratch),
        wanted(kind, scratch)
      else { return }
      if last != nil || bound != nil {
        let rank = DirectoryChild.rank(kind, scratch)
        if let last, !last.lexicographicallyPrecedes(rank) { return }
        if let bound, !rank.lexicographicallyPrecedes(bound) { return }
      }
      found.append(DirectoryChild(name, kind, scratch))
      if found.count == 2 * size {
        Self.sort(&found)
        found.removeLast(size)
        bound = found.last?.rank
        hasMore = true
      }
    }
    Self.sort(&found)
    if found.count > size {
      found.removeLast(found.count - size)
      hasMore = true
    }
    children = found
  }

  private static func sort(_ children: inout [DirectoryChild]) {
    children.sort { $0.rank.lexicographicallyPrecedes($1.rank) }
  }
}
