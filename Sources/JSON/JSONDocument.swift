/// A JSON text that was checked once and is read in place.
///
/// Parsing records where each value starts and ends (a "tape") and copies nothing, so that reading
/// a few fields of a large text costs little more than the scan, and so that what a reader does not
/// know stays exactly as it was sent.
package struct JSONDocument: Sendable {
  /// What a text from the network may cost.
  package struct Limits: Sendable {
    package var bytes: Int
    package var depth: Int
    package var values: Int

    package init(bytes: Int = 8 << 20, depth: Int = 128, values: Int = 1 << 20) {
      self.bytes = bytes
      self.depth = depth
      self.values = values
    }
  }

  let storage: JSONStorage

  /// Checks `bytes` against RFC 8259: one value, nothing after it, strings in valid UTF-8.
  ///
  /// Duplicate keys are found when an object is read, see ``JSONNode/field(_:)``.
  package init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) {
    guard bytes.count <= limits.bytes, bytes.count < Int(UInt32.max) else {
      throw JSONError(.tooLong(limit: limits.bytes), at: limits.bytes)
    }
    var failure: JSONError?
    let tape = bytes.withUnsafeBufferPointer { buffer in
      var scanner = JSONScanner(bytes: buffer, limits: limits)
      do throws(JSONError) { try scanner.scan() } catch { failure = error }
      return scanner.tape
    }
    if let failure { throw failure }
    storage = JSONStorage(bytes: bytes, tape: tape)
  }

  /// The outermost value.
  package var root: JSONNode { JSONNode(storage: storage, index: 0) }
}

/// The text and the tape over it, shared by all nodes of a document.
final class JSONStorage: Sendable {
  let bytes: [UInt8]
  let tape: [JSONTapeEntry]

  init(bytes: [UInt8], tape: [JSONTapeEntry]) {
    self.bytes = bytes
    self.tape = tape
  }
}

/// One value. The children of a container follow it; a member of an object is two entries, its key
/// and its value.
struct JSONTapeEntry: Sendable {
  enum Kind: UInt8, Sendable {
    case null, bool, number, string, array, object
  }

  let kind: Kind
  /// Whether a string holds escapes.
  var isEscaped = false
  /// The bytes of the value, with a string's quotes.
  let start: UInt32
  var end: UInt32 = 0
  /// The tape index behind the value and everything in it.
  var next: UInt32 = 0
}
