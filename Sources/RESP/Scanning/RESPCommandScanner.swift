/// Finds where a command ends without making values of its arguments.
///
/// It is given the bytes of a connection from the start of a command on, and goes on where it
/// stopped when it is given more of them. It accepts what Redis accepts, limits included, except
/// that every line end has to be CR LF: a proxy and its server must never disagree about where a
/// command ends. Errors carry Redis's own words (`src/networking.c`, `processMultibulkBuffer`).
package struct RESPCommandScanner: Sendable, Hashable {
  package enum Step: Sendable, Hashable {
    /// Bytes are missing.
    case incomplete
    /// ``length`` bytes are a command.
    case command
    /// ``length`` bytes are a line of words, its end included.
    case inline
    /// ``length`` bytes mean nothing: an empty line, `*0` or `*-1`.
    case nothing
  }

  /// The most arguments of a command.
  package static let maximumArguments = 1 << 20
  /// The most bytes of an argument (`proto-max-bulk-len`).
  package static let maximumBulkLength = 512 << 20
  /// The longest line (`PROTO_INLINE_MAX_SIZE`).
  package static let maximumLineLength = 64 << 10

  /// The bytes that the command takes up as far as they are known, received or not.
  package private(set) var length = 0
  /// Arguments whose end is not known.
  package private(set) var argumentsLeft = 0
  /// All arguments, the command's name included.
  package private(set) var argumentCount = 0
  /// Where the first argument is.
  package private(set) var name = 0..<0

  private var isStarted = false
  private var isInBulk = false

  package init() {}

  /// Begins with another command.
  package mutating func reset() { self = RESPCommandScanner() }

  /// Whether the name can be read from the bytes given so far.
  package func hasName(in available: Int) -> Bool {
    isStarted && name.upperBound > 0 && name.upperBound <= available
  }

  /// Bytes at the front that nobody needs any more were taken away: those of a command that is
  /// forwarded while it arrives. Two bytes in front of ``length`` have to stay.
  package mutating func drop(_ count: Int) { length -= count }

  /// Bytes that can be forwarded before the command is complete.
  package func forwardable(of available: Int) -> Int { max(0, min(available, length - 2)) }

  package mutating func scan(_ bytes: Span<UInt8>) throws(RESPScanError) -> Step {
    if !isStarted {
      guard !bytes.isEmpty else { return .incomplete }
      guard bytes[0] == UInt8(ascii: "*") else { return try scanInline(bytes) }
      guard
        let (count, end) = try RESPNumber.read(
          bytes, from: 1, tooLong: .multibulkTooLong, invalid: .multibulkLength)
      else { return .incomplete }
      guard count <= Self.maximumArguments else { throw .multibulkLength }
      isStarted = true
      length = end
      argumentsLeft = max(0, count)
      argumentCount = argumentsLeft
      if argumentsLeft == 0 { return .nothing }
    }
    return try scanArguments(bytes) ? .command : .incomplete
  }

  private mutating func scanArguments(_ bytes: Span<UInt8>) throws(RESPScanError) -> Bool {
    let available = bytes.count
    while true {
      if isInBulk {
        guard length <= available else { return false }
        guard bytes[length - 2] == 0x0D, bytes[length - 1] == 0x0A else { throw .bulkEnd }
        isInBulk = false
      }
      if argumentsLeft == 0 { return true }
      guard length < available else { return false }
      guard bytes[length] == UInt8(ascii: "$") else { throw .expectedBulk(bytes[length]) }
      guard
        let (count, end) = try RESPNumber.read(
          bytes, from: length + 1, tooLong: .bulkTooLong, invalid: .bulkLength)
      else { return false }
      guard count >= 0, count <= Self.maximumBulkLength else { throw .bulkLength }
      if argumentsLeft == argumentCount { name = end..<end + count }
      length = end + count + 2
      argumentsLeft -= 1
      isInBulk = true
    }
  }

  private mutating func scanInline(_ bytes: Span<UInt8>) throws(RESPScanError) -> Step {
    var index = length
    while index < bytes.count {
      if bytes[index] == 0x0A {
        length = index + 1
        let text = index > 0 && bytes[index - 1] == 0x0D ? index - 1 : index
        return text == 0 ? .nothing : .inline
      }
      index += 1
    }
    guard index <= Self.maximumLineLength else { throw .inlineTooLong }
    length = index
    return .incomplete
  }
}
