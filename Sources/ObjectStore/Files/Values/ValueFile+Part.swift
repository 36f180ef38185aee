import NIOCore

extension ValueFile {
  /// Parts up to this are read at once, and the file closed before anybody sees the answer.
  static let smallSize = 64 << 10

  /// The bytes of a part, if it is small; nil if it would have to be waited for.
  func read(_ part: Range<Int>, waiting: Bool) throws(ObjectStoreError) -> ByteBuffer? {
    if let slice = prefix(of: part), slice.readableBytes == part.count { return slice }
    var bytes = ByteBuffer()
    do throws(FileFault) {
      while bytes.readableBytes < part.count {
        let offset = contentStart + part.lowerBound + bytes.readableBytes
        guard
          var next = try reader.read(
            at: offset, count: part.count - bytes.readableBytes, waiting: waiting)
        else { return nil }
        if next.readableBytes == 0 { throw .damaged }
        bytes.writeBuffer(&next)
      }
    } catch {
      throw error.readingError(of: header.key)
    }
    return bytes
  }

  /// A part that is read bit by bit.
  func content(_ part: Range<Int>) -> FileContent {
    reader.expectSequence()
    let first = prefix(of: part) ?? ByteBuffer()
    let start = contentStart + part.lowerBound + first.readableBytes
    return FileContent(
      header.key, first: first, rest: start..<(contentStart + part.upperBound), reader: reader)
  }

  /// What is known of the part already.
  private func prefix(of part: Range<Int>) -> ByteBuffer? {
    let known = part.clamped(to: 0..<first.readableBytes)
    guard known.lowerBound == part.lowerBound else { return nil }
    return first.getSlice(at: first.readerIndex + known.lowerBound, length: known.count)
  }
}
