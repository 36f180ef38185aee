/// What stands in a directory of values: one of them, or a directory with more.
struct DirectoryChild: Sendable {
  let name: String
  let kind: FileName.Kind
  /// The key of a value; what all keys below a directory begin with.
  let beginning: [UInt8]
  /// Puts the children of a directory in the order of their keys, none of which lie between two
  /// below another child.
  let rank: [UInt8]

  /// - Parameters:
  ///   - prefix: what all keys of the directory begin with.
  ///   - scratch: memory to work in.
  /// - Returns: what the name means for keys; nil if it means nothing.
  static func kind(
    of name: UnsafeRawBufferPointer, below prefix: [UInt8], _ scratch: inout [UInt8]
  ) -> FileName.Kind? {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: prefix)
    let kind = FileName.decode(name, to: &scratch)
    if kind == .directory { scratch.append(UInt8(ascii: "/")) }
    return kind
  }

  /// - Parameter beginning: as ``kind(of:below:_:)`` leaves it.
  init(_ name: UnsafeRawBufferPointer, _ kind: FileName.Kind, _ beginning: [UInt8]) {
    self.name = String(decoding: name, as: UTF8.self)
    self.kind = kind
    self.beginning = beginning
    rank = Self.rank(kind, beginning)
  }

  static func rank(_ kind: FileName.Kind, _ beginning: [UInt8]) -> [UInt8] {
    switch kind {
    case .value, .directory: beginning
    // Its keys go on with a byte before the slash, or after.
    case .continuation(low: true): beginning + [0]
    case .continuation(low: false): beginning + [UInt8(ascii: "/") + 1]
    }
  }
}
