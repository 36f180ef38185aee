import NIOCore
package import NIOHTTP1

/// The status and the fields of an answer, written as they go to the client.
///
/// The connection adds `date`, `content-length` (or `transfer-encoding`) and `connection`.
package struct HTTPAnswerHead: Sendable {
  package let status: HTTPResponseStatus
  var bytes: ByteBuffer

  package init(_ status: HTTPResponseStatus) {
    self.status = status
    bytes = ByteBufferAllocator().buffer(capacity: 512)
    switch status {
    case .ok: bytes.writeStaticString("HTTP/1.1 200 OK\r\n")
    case .partialContent: bytes.writeStaticString("HTTP/1.1 206 Partial Content\r\n")
    case .notModified: bytes.writeStaticString("HTTP/1.1 304 Not Modified\r\n")
    case .notFound: bytes.writeStaticString("HTTP/1.1 404 Not Found\r\n")
    default: bytes.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
    }
  }

  /// Adds a field.
  ///
  /// - Parameter value: its control characters become spaces: no value ends a field.
  package mutating func add(_ name: StaticString, _ value: String) {
    bytes.writeStaticString(name)
    bytes.writeStaticString(": ")
    if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) {
      bytes.writeString(value)
    } else {
      bytes.writeBytes(value.utf8.map { $0 >= 0x20 && $0 != 0x7f ? $0 : 0x20 })
    }
    bytes.writeStaticString("\r\n")
  }

  /// Adds a field with a number.
  package mutating func add(_ name: StaticString, _ value: Int) {
    bytes.writeStaticString(name)
    bytes.writeStaticString(": ")
    bytes.writeDecimal(value)
    bytes.writeStaticString("\r\n")
  }
}

extension ByteBuffer {
  /// Writes the digits of a number that is not negative.
  mutating func writeDecimal(_ value: Int) { writeString(String(value)) }
}
