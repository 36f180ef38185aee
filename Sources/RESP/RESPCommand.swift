package import NIOCore

/// A command with its arguments, encoded as they are added.
///
/// Only the count in front is missing until ``write(into:)``, so that arguments need no list of
/// their own. The description shows no argument: they may be secrets.
package struct RESPCommand: Sendable, Hashable, CustomStringConvertible {
  /// The command's word, for messages.
  package let name: String
  /// Arguments so far, the command's word included.
  package private(set) var count: Int
  private var arguments: ByteBuffer

  package init(_ name: String, _ arguments: RESPArgument...) {
    self.init(name, arguments: arguments)
  }

  /// A command that sets aside `capacity` bytes for its arguments.
  package init(_ name: String, arguments: [RESPArgument], capacity: Int = 64) {
    self.name = name
    self.count = 1
    self.arguments = ByteBuffer()
    self.arguments.reserveCapacity(capacity + name.utf8.count + 8)
    self.arguments.writeRESPBulk(name)
    append(contentsOf: arguments)
  }

  /// A command that starts with bulk strings encoded before: `count` of them, the command's word
  /// first. Sets aside `capacity` bytes for what follows.
  package init(_ name: String, prefix: ByteBuffer, count: Int, capacity: Int) {
    self.name = name
    self.count = count
    self.arguments = ByteBuffer()
    self.arguments.reserveCapacity(prefix.readableBytes + capacity)
    self.arguments.writeImmutableBuffer(prefix)
  }

  package mutating func append(_ argument: String) {
    count += 1
    arguments.writeRESPBulk(argument)
  }

  package mutating func append(_ argument: ByteBuffer) {
    count += 1
    arguments.writeRESPBulk(argument)
  }

  package mutating func append(_ argument: Int64) {
    count += 1
    arguments.writeRESPBulk(argument)
  }

  package mutating func append(_ argument: RESPArgument) {
    switch argument {
    case .string(let text): append(text)
    case .bytes(let bytes): append(bytes)
    case .integer(let number): append(number)
    }
  }

  package mutating func append(contentsOf arguments: [RESPArgument]) {
    for argument in arguments { append(argument) }
  }

  /// Bytes on the wire.
  package var encodedLength: Int {
    arguments.readableBytes + 3 + Int64(count).decimalDigits
  }

  /// Appends the whole command, an array of bulk strings.
  package func write(into buffer: inout ByteBuffer) {
    buffer.writeRESPHeader(UInt8(ascii: "*"), Int64(count))
    buffer.writeImmutableBuffer(arguments)
  }

  package var description: String { "\(name) (\(count - 1) arguments)" }
}
