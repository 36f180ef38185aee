import NIOCore

/// What the line at the start of a value says.
enum RESPHeader {
  /// The line was the whole value.
  case value(RESPValue)
  case payload(RESPPayloadKind, length: Int)
  /// `$?`: chunks follow.
  case streamedString
  /// `nil` children: elements follow until an end marker.
  case aggregate(RESPAggregateKind, count: Int?)
  /// `;4`: one chunk of a streamed string; the one of length 0 ends it.
  case chunk(length: Int)
  /// `.`: the end of a streamed aggregate.
  case end
}

enum RESPPayloadKind: Hashable {
  case string
  case error
  case verbatim
  case chunk
}

enum RESPAggregateKind: Hashable {
  case array
  case set
  case push
  case map
  case attribute

  /// Values that one counted element of this aggregate consists of.
  var valuesPerElement: Int { self == .map || self == .attribute ? 2 : 1 }
}

extension RESPHeader {
  /// Reads the first `length` bytes of `line`, which are a line without its CR LF. `offset` says
  /// where it is in the stream, for errors.
  init(line: ByteBuffer, length: Int, at offset: Int64) throws(RESPError) {
    let span = line.readableBytesUInt8Span.extracting(first: length)
    guard let type = span.indices.isEmpty ? nil : span[0] else {
      throw RESPError(.unknownType, at: offset, "an empty line is not a value")
    }
    var text: String {
      line.getString(at: line.readerIndex + 1, length: length - 1) ?? ""
    }
    switch type {
    case UInt8(ascii: "+"): self = .value(.simpleString(text))
    case UInt8(ascii: "-"): self = .value(.simpleError(text))
    case UInt8(ascii: ":"):
      guard let number = Int64(resp: span) else {
        throw RESPError(.malformed, at: offset, "':' needs a 64-bit decimal integer")
      }
      self = .value(.integer(number))
    case UInt8(ascii: "$"):
      switch try RESPLength(span, at: offset) {
      case .exactly(let length): self = .payload(.string, length: length)
      case .null: self = .value(.null)
      case .streamed: self = .streamedString
      }
    case UInt8(ascii: "*"):
      let length = try RESPLength(span, at: offset)
      self =
        length == .null
        ? .value(.null) : .aggregate(.array, count: try length.countOrStreamed(type, at: offset))
    case UInt8(ascii: "%"): self = try .aggregate(.map, span, at: offset)
    case UInt8(ascii: "~"): self = try .aggregate(.set, span, at: offset)
    case UInt8(ascii: ">"): self = try .aggregate(.push, span, at: offset)
    case UInt8(ascii: "|"): self = try .aggregate(.attribute, span, at: offset)
    case UInt8(ascii: "!"): self = try .payload(.error, span, at: offset)
    case UInt8(ascii: "="): self = try .payload(.verbatim, span, at: offset)
    case UInt8(ascii: ";"):
      self = .chunk(length: try RESPLength(span, at: offset).exact(type, at: offset))
    case UInt8(ascii: "."):
      guard length == 1 else {
        throw RESPError(.malformed, at: offset, "'.' stands alone on its line")
      }
      self = .end
    default: self = .value(try RESPValue(scalar: type, span, text: text, at: offset))
    }
  }

  /// Fails at the first byte of something that is not RESP, not only at its first line end.
  static func checkType(of line: ByteBuffer, at offset: Int64) throws(RESPError) {
    guard let type = line.getInteger(at: line.readerIndex, as: UInt8.self) else { return }
    switch type {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "$"),
      UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: ","), UInt8(ascii: "#"),
      UInt8(ascii: "!"), UInt8(ascii: "="), UInt8(ascii: "("), UInt8(ascii: "%"),
      UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "|"), UInt8(ascii: ";"),
      UInt8(ascii: "."):
      return
    default: throw .unknownType(type, at: offset)
    }
  }

  private static func aggregate(
    _ kind: RESPAggregateKind, _ line: Span<UInt8>, at offset: Int64
  ) throws(RESPError) -> RESPHeader {
    .aggregate(kind, count: try RESPLength(line, at: offset).countOrStreamed(line[0], at: offset))
  }

  private static func payload(
    _ kind: RESPPayloadKind, _ line: Span<UInt8>, at offset: Int64
  ) throws(RESPError) -> RESPHeader {
    .payload(kind, length: try RESPLength(line, at: offset).exact(line[0], at: offset))
  }
}

extension RESPError {
  static func unknownType(_ byte: UInt8, at offset: Int64) -> RESPError {
    RESPError(.unknownType, at: offset, "no type starts with byte 0x\(String(byte, radix: 16))")
  }
}
