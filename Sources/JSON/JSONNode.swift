/// A value inside a ``JSONDocument``. Reading another kind than the value has yields `nil`.
package struct JSONNode: Sendable {
  let storage: JSONStorage
  let index: Int

  private var entry: JSONTapeEntry { storage.tape[index] }

  package var isNull: Bool { entry.kind == .null }
  package var isObject: Bool { entry.kind == .object }
  package var isArray: Bool { entry.kind == .array }

  /// The value as it was sent, complete.
  package var rawBytes: ArraySlice<UInt8> {
    storage.bytes[Int(entry.start)..<Int(entry.end)]
  }

  /// Where the value starts in the text, for error messages.
  package var offset: Int { Int(entry.start) }

  /// The string with its escapes resolved; a lone surrogate becomes U+FFFD, as in Go.
  package var string: String? {
    guard entry.kind == .string else { return nil }
    let contents = rawBytes.dropFirst().dropLast()
    return entry.isEscaped
      ? JSONEscapes.resolve(contents) : String(decoding: contents, as: UTF8.self)
  }

  package var bool: Bool? {
    entry.kind == .bool ? storage.bytes[Int(entry.start)] == UInt8(ascii: "t") : nil
  }

  /// A number without fraction or exponent that fits.
  package var integer: Int? {
    entry.kind == .number ? Int(String(decoding: rawBytes, as: UTF8.self)) : nil
  }

  /// The text of a number, as it was sent.
  package var number: String? {
    entry.kind == .number ? String(decoding: rawBytes, as: UTF8.self) : nil
  }

  /// The values of an array; empty for any other kind.
  package var elements: [JSONNode] {
    children(of: .array).map { JSONNode(storage: storage, index: $0) }
  }

  /// The members of an object in the order in which they were sent; empty for any other kind.
  package var members: [(key: String, value: JSONNode)] {
    children(of: .object).map { key in
      (
        JSONNode(storage: storage, index: key).string ?? "",
        JSONNode(storage: storage, index: key + 1)
      )
    }
  }

  /// The member called `name`, or `nil` if there is none or this is no object.
  ///
  /// - Throws: ``JSONError/Kind/duplicateKey(_:)`` if there are two: readers disagree about which
  ///   of them counts, so nothing that decides anything may be read from such an object.
  package func field(_ name: String) throws(JSONError) -> JSONNode? {
    var found: Int?
    for key in children(of: .object) where isString(at: key, name) {
      if found != nil {
        throw JSONError(.duplicateKey(name), at: Int(storage.tape[key].start))
      }
      found = key + 1
    }
    return found.map { JSONNode(storage: storage, index: $0) }
  }

  /// The value at a path of member names; `nil` as soon as one is missing.
  package func field(_ first: String, _ rest: String...) throws(JSONError) -> JSONNode? {
    var node = try field(first)
    for name in rest { node = try node?.field(name) }
    return node
  }

  /// The tape indices of the elements or keys, if this value is of `kind`.
  private func children(of kind: JSONTapeEntry.Kind) -> JSONChildren {
    let entry = entry
    guard entry.kind == kind else { return JSONChildren(storage: storage, cursor: 0, end: 0) }
    return JSONChildren(
      storage: storage, cursor: index + 1, end: Int(entry.next), step: kind == .object ? 1 : 0)
  }

  private func isString(at key: Int, _ text: String) -> Bool {
    let entry = storage.tape[key]
    if entry.isEscaped { return JSONNode(storage: storage, index: key).string == text }
    let length = Int(entry.end - entry.start) - 2
    guard length == text.utf8.count else { return false }
    let start = Int(entry.start) + 1
    return storage.bytes[start..<start + length].elementsEqual(text.utf8)
  }
}

/// Walks over the direct children of a container.
private struct JSONChildren: Sequence, IteratorProtocol {
  let storage: JSONStorage
  var cursor: Int
  let end: Int
  /// How many entries a child has in front of its value: 1 for members, 0 for elements.
  var step = 0

  mutating func next() -> Int? {
    guard cursor < end else { return nil }
    let child = cursor
    cursor = Int(storage.tape[child + step].next)
    return child
  }
}
