/// The last lines of a stream of bytes, bounded in number and length.
package struct RecentLines: Sendable {
  /// Lines kept.
  package static let limit = 400
  /// Bytes of a line kept; the rest of a longer one is dropped.
  package static let lineLimit = 8192

  package private(set) var lines: [String] = []
  private var partial: [UInt8] = []

  package init() {}

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        finishLine()
      } else if partial.count < Self.lineLimit {
        partial.append(byte)
      }
    }
  }

  /// Takes what follows the last line break as a line of its own.
  mutating func finish() {
    if !partial.isEmpty { finishLine() }
  }

  private mutating func finishLine() {
    lines.append(String(decoding: partial, as: UTF8.self))
    partial.removeAll(keepingCapacity: true)
    if lines.count > Self.limit { lines.removeFirst(lines.count - Self.limit) }
  }
}
