import NIOCore

/// Bytes that arrived and are not yet parsed, in whatever pieces they came.
///
/// Every byte is looked at once and moved a bounded number of times: what a line search has
/// seen is remembered, and payloads are handed out as slices. Once a slice is out, the storage
/// is shared, and appending to it would copy all of it each time; so the rest then moves to
/// storage of its own.
struct ReceiveBuffer {
  private var bytes = ByteBuffer()
  /// No slice of `bytes` is held by anyone else.
  private var isExclusive = false
  /// Readable bytes already known to hold no line end.
  private var scanned = 0
  /// Bytes handed out since the start of the stream.
  private(set) var offset: Int64 = 0

  var count: Int { bytes.readableBytes }

  mutating func append(_ piece: ByteBuffer) {
    guard piece.readableBytes > 0 else { return }
    if bytes.readableBytes == 0 {
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

  /// The next line parsed as the start of a value; nil until it is complete.
  mutating func readHeader(
    lineLength limit: Int
  ) throws(RESPError) -> (header: RESPHeader, length: Int)? {
    guard let length = try lineLength(limit: limit) else { return nil }
    let header = try RESPHeader(line: bytes, length: length, at: offset)
    consume(length + 2)
    scanned = 0
    return (header, length + 2)
  }

  /// The next `length` bytes, without the CR LF that has to follow; nil until all are there.
  mutating func readPayload(length: Int) throws(RESPError) -> ByteBuffer? {
    guard bytes.readableBytes >= length + 2 else { return nil }
    let end = bytes.readerIndex + length
    guard bytes.getInteger(at: end, as: UInt16.self) == 0x0D0A else {
      throw RESPError(
        .missingTerminator, at: offset, "a payload of \(length) bytes does not end in CR LF")
    }
    let payload = bytes.getSlice(at: bytes.readerIndex, length: length) ?? ByteBuffer()
    isExclusive = false
    consume(length + 2)
    return payload
  }

  private mutating func consume(_ length: Int) {
    bytes.moveReaderIndex(forwardBy: length)
    offset += Int64(length)
    // Lets the transport have its buffer back.
    if bytes.readableBytes == 0 { bytes = ByteBuffer() }
  }

  private mutating func lineLength(limit: Int) throws(RESPError) -> Int? {
    let available = bytes.readableBytes
    guard available > 0 else { return nil }
    let end = Self.firstLineEnd(in: bytes, from: scanned)
    guard (end ?? available) <= limit else {
      throw RESPError(.limitExceeded, at: offset, "a line is longer than \(limit) bytes")
    }
    guard let end else {
      if scanned == 0 { try RESPHeader.checkType(of: bytes, at: offset) }
      scanned = available
      return nil
    }
    let place = bytes.readerIndex + end
    let isComplete = end + 1 < available
    guard bytes.getInteger(at: place, as: UInt8.self) == 0x0D,
      !isComplete || bytes.getInteger(at: place + 1, as: UInt8.self) == 0x0A
    else {
      throw RESPError(.missingTerminator, at: offset, "a line does not end in CR LF")
    }
    scanned = end
    return isComplete ? end : nil
  }

  /// The place of the first CR or LF.
  private static func firstLineEnd(in bytes: ByteBuffer, from start: Int) -> Int? {
    let span = bytes.readableBytesUInt8Span
    var index = start
    while index < span.count {
      let byte = span[index]
      if byte == 0x0D || byte == 0x0A { return index }
      index += 1
    }
    return nil
  }
}
