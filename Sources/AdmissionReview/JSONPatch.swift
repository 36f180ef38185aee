package import JSON

/// A patch under construction (RFC 6902): what admission changes in an object, and nothing else.
///
/// The values are written straight into the patch's bytes.
package struct JSONPatch: Sendable {
  private var writer = JSONWriter(reserving: 2048)
  package private(set) var isEmpty = true

  package init() { writer.beginArray() }

  /// The complete JSON text.
  package var bytes: [UInt8] {
    var finished = writer
    finished.endArray()
    return finished.bytes
  }

  /// Adds a member or, in an array, inserts in front of the index (`-`: at the end). The parent
  /// must exist.
  package mutating func add(_ path: JSONPointer, _ value: (inout JSONWriter) -> Void) {
    begin("add", path)
    writer.key("value")
    value(&writer)
    writer.endObject()
  }

  /// Replaces a value that must exist.
  package mutating func replace(_ path: JSONPointer, _ value: (inout JSONWriter) -> Void) {
    begin("replace", path)
    writer.key("value")
    value(&writer)
    writer.endObject()
  }

  /// Removes a value that must exist.
  package mutating func remove(_ path: JSONPointer) {
    begin("remove", path)
    writer.endObject()
  }

  private mutating func begin(_ operation: String, _ path: JSONPointer) {
    isEmpty = false
    writer.beginObject()
    writer.field("op", operation)
    writer.field("path", path.description)
  }
}
