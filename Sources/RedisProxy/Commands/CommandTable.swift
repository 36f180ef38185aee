/// What the proxy knows about commands, by name.
///
/// Open addressing in a table at most a quarter full: one look-up for each command that passes.
struct CommandTable: Sendable {
  struct Entry: Hashable, Sendable {
    /// Lower case, as the server lists it: for labels.
    let name: String
    let kind: CommandKind
    /// May go to a replica.
    let isRead: Bool
  }

  /// Stands for all commands that are not listed: they may be anything, so they go to the primary.
  static let unknown = Entry(name: "other", kind: .plain, isRead: false)

  /// The first one is ``unknown``.
  let entries: [Entry]
  /// `CLIENT SETINFO` came with version 7.2.
  let knowsSetInfo: Bool
  private let names: [CommandName?]
  private let indices: [Int]
  private let mask: Int

  init(_ listed: [Entry], knowsSetInfo: Bool = false) {
    self.knowsSetInfo = knowsSetInfo
    var size = 64
    while size < listed.count * 4 { size *= 2 }
    var entries = [Self.unknown]
    var names = [CommandName?](repeating: nil, count: size)
    var indices = [Int](repeating: 0, count: size)
    for entry in listed {
      guard let name = CommandName(entry.name) else { continue }
      var slot = name.spread & (size - 1)
      while let other = names[slot], other != name { slot = (slot + 1) & (size - 1) }
      guard names[slot] == nil else { continue }
      names[slot] = name
      indices[slot] = entries.count
      entries.append(entry)
    }
    self.entries = entries
    self.names = names
    self.indices = indices
    mask = size - 1
  }

  /// The number of a command's entry; 0 if there is none.
  func index(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    guard let name = CommandName(bytes, range) else { return 0 }
    var slot = name.spread & mask
    while let other = names[slot] {
      if other == name { return indices[slot] }
      slot = (slot + 1) & mask
    }
    return 0
  }

  subscript(name: String) -> Entry {
    let bytes = Array(name.utf8)
    return entries[index(bytes.span, 0..<bytes.count)]
  }
}
