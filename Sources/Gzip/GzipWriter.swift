internal import CZlib

/// Packs bytes as gzip (RFC 1952), piece by piece. For one task at a time.
package final class GzipWriter {
  private var stream: UnsafeMutablePointer<z_stream>

  /// - Parameter level: from 1, fast, to 9, small.
  package init(level: Int32 = 1) throws(GzipError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard czlib_begin_deflating(stream, level) == Z_OK else {
      stream.deallocate()
      throw .outOfMemory
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Packs the next bytes.
  ///
  /// - Parameter isLast: no more follow.
  /// - Returns: what is ready; perhaps nothing, unless it is the last.
  package func pack(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8] {
    // zlib does not write to it.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
    stream.pointee.avail_in = UInt32(bytes.count)
    defer { stream.pointee.next_in = nil }
    var packed: [UInt8] = []
    let piece = 64 << 10
    var isFull = true
    while isFull {
      let next = [UInt8](unsafeUninitializedCapacity: piece) { buffer, count in
        stream.pointee.next_out = buffer.baseAddress
        stream.pointee.avail_out = UInt32(piece)
        _ = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        count = piece - Int(stream.pointee.avail_out)
      }
      isFull = next.count == piece
      packed = packed.isEmpty ? next : packed + next
    }
    return packed
  }
}
