/// Why bytes are not unpacked.
package enum GzipError: Error, Hashable, CustomStringConvertible {
  /// They are no gzip, or damaged.
  case malformed
  /// The end is missing.
  case incomplete
  /// They are more than allowed when unpacked.
  case tooLarge(limit: Int)
  case outOfMemory

  package var description: String {
    switch self {
    case .malformed: "the bytes are no gzip, or damaged"
    case .incomplete: "the end of the gzip is missing"
    case .tooLarge(let limit): "the gzip holds more than \(limit) bytes"
    case .outOfMemory: "there is no memory to pack or unpack"
    }
  }
}
