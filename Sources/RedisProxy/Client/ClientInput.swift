import NIOCore
import RESP

/// What a client has sent and what has not gone on yet; finds the command at its front.
///
/// A command can be taken only with the proof that all of it is there, which ``front()`` gives. A
/// command that is too long to be kept until its end has come is forwarded in pieces. The buffer
/// holds no more than what is readable and as much again, whatever passes.
struct ClientInput {
  /// Longer commands are forwarded while they arrive.
  static let longCommand = 64 << 10
  /// No more bytes are read while so many wait.
  static let limit = 128 << 10
  /// Slices above this size may still be in use when more arrives.
  private static let sharedSlice = 16 << 10

  enum Front {
    /// Bytes are missing.
    case incomplete
    /// All of a command.
    case complete(Complete)
    /// The start of a command, its name in it.
    case long(name: Range<Int>)
  }

  /// Proof that all of a command is there: good until the input is next changed.
  struct Complete {
    /// Where the name is.
    let name: Range<Int>
    fileprivate let length: Int
  }

  private var bytes = ByteBuffer()
  /// The line at the front of the input, already taken from there, as an array.
  private var line: ByteBuffer?
  private var scanner = RESPCommandScanner()
  /// Nobody else holds a slice of `bytes`.
  private var isExclusive = false
  /// A part of the command at the front has been forwarded.
  private(set) var isForwarding = false

  var count: Int { bytes.readableBytes + (line?.readableBytes ?? 0) }

  mutating func append(_ piece: ByteBuffer) {
    guard bytes.readableBytes > 0 else {
      bytes = piece
      isExclusive = false
      return
    }
    if !isExclusive {
      var own = ByteBuffer()
      own.reserveCapacity(bytes.readableBytes + piece.readableBytes)
      own.writeImmutableBuffer(bytes)
      bytes = own
      isExclusive = true
    } else if bytes.readerIndex > max(4096, bytes.readableBytes) {
      bytes.discardReadBytes()
    }
    bytes.writeImmutableBuffer(piece)
  }

  /// Drops all of it.
  mutating func clear() { self = ClientInput() }

  /// Lets the transport have its buffer back if nothing is left in it.
  mutating func releaseIfEmpty() { if bytes.readableBytes == 0 { bytes = ByteBuffer() } }

  /// The bytes that it keeps in memory.
  var capacity: Int { bytes.capacity }

  /// Looks at the command at the front; may be asked again and again.
  @inline(__always)
  mutating func front() throws(RESPScanError) -> Front {
    let step = try scan()
    if step == .command { return .complete(Complete(name: scanner.name, length: scanner.length)) }
    return try front(after: step)
  }

  private mutating func front(
    after first: RESPCommandScanner.Step
  ) throws(RESPScanError) -> Front {
    var step = first
    while true {
      switch step {
      case .command: return .complete(Complete(name: scanner.name, length: scanner.length))
      case .inline: try rewriteLine()
      case .nothing:
        bytes.moveReaderIndex(forwardBy: scanner.length)
        scanner.reset()
      case .incomplete:
        let available = bytes.readableBytes
        guard available > Self.longCommand else { return .incomplete }
        if scanner.hasName(in: available) { return .long(name: scanner.name) }
        // Enough for any line and any name.
        if available >= Self.limit { throw .bulkTooLong }
        return .incomplete
      }
      step = try scan()
    }
  }

  @inline(__always)
  private mutating func scan() throws(RESPScanError) -> RESPCommandScanner.Step {
    if let line { try Self.scan(&scanner, line) } else { try Self.scan(&scanner, bytes) }
  }

  @inline(__always)
  private static func scan(
    _ scanner: inout RESPCommandScanner, _ bytes: borrowing ByteBuffer
  ) throws(RESPScanError) -> RESPCommandScanner.Step {
    try scanner.scan(bytes.readableBytesUInt8Span)
  }

  private mutating func rewriteLine() throws(RESPScanError) {
    var length = scanner.length
    scanner.reset()
    guard let whole = bytes.readSlice(length: length) else { return }
    length -= 1
    if length > 0, whole.getInteger(at: whole.readerIndex + length - 1, as: UInt8.self) == 0x0D {
      length -= 1
    }
    guard let text = whole.getSlice(at: whole.readerIndex, length: length) else { return }
    let words = try InlineCommand.words(text.readableBytesUInt8Span)
    if !words.isEmpty { line = InlineCommand.encode(words) }
  }

  /// The number of a command's entry in the table.
  @inline(__always)
  func index(in table: CommandTable, _ name: Range<Int>) -> Int {
    if let line { return table.index(line.readableBytesUInt8Span, name) }
    return table.index(bytes.readableBytesUInt8Span, name)
  }

  /// The words of a command, to look into.
  func words(of command: Complete) -> CommandArguments {
    CommandArguments(
      line ?? bytes.getSlice(at: bytes.readerIndex, length: command.length) ?? ByteBuffer())
  }

  /// Takes a command away.
  mutating func take(_ command: Complete) -> ByteBuffer {
    scanner.reset()
    if let line {
      self.line = nil
      return line
    }
    guard let slice = bytes.readSlice(length: command.length) else {
      preconditionFailure("a proof of a command was used twice")
    }
    if command.length > Self.sharedSlice { isExclusive = false }
    return slice
  }

  /// From now on the command at the front goes on in pieces.
  mutating func beginForwarding() { isForwarding = true }

  /// What has come of the command that is forwarded; its last piece ends that.
  mutating func takePiece() throws(RESPScanError) -> ByteBuffer? {
    isExclusive = false
    if try Self.scan(&scanner, bytes) == .command {
      isForwarding = false
      let length = scanner.length
      scanner.reset()
      return bytes.readSlice(length: length)
    }
    let count = scanner.forwardable(of: bytes.readableBytes)
    guard count > 0 else { return nil }
    scanner.drop(count)
    return bytes.readSlice(length: count)
  }
}
