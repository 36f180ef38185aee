internal import CZlib

/// Unpacks gzip (RFC 1952), several members behind each other included, as it comes.
///
/// For one task at a time. What comes out is bounded, however little goes in.
package final class GzipReader {
  private var stream: UnsafeMutablePointer<z_stream>
  private let limit: Int
  private let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64 << 10)
  private var isBetweenMembers = false
  /// What has been unpacked.
  package private(set) var bytes: [UInt8] = []

  /// - Parameter limit: the most bytes that may come out.
  package init(limit: Int) throws(GzipError) {
    self.limit = limit
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard czlib_begin_inflating(stream) == Z_OK else {
      stream.deallocate()
      scratch.deallocate()
      throw .outOfMemory
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    scratch.deallocate()
  }

  /// Unpacks the next bytes.
  package func append(_ packed: UnsafeRawBufferPointer) throws(GzipError) {
    guard let start = packed.bindMemory(to: UInt8.self).baseAddress else { return }
    // zlib does not write to it.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
    stream.pointee.avail_in = UInt32(packed.count)
    defer { stream.pointee.next_in = nil }
    var isFull = false
    while stream.pointee.avail_in > 0 || isFull {
      if isBetweenMembers {
        guard inflateReset(stream) == Z_OK else { throw .malformed }
        isBetweenMembers = false
      }
      stream.pointee.next_out = scratch.baseAddress
      stream.pointee.avail_out = UInt32(scratch.count)
      let result = inflate(stream, Z_NO_FLUSH)
      let written = scratch.count - Int(stream.pointee.avail_out)
      guard bytes.count + written <= limit else { throw .tooLarge(limit: limit) }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: scratch[..<written]))
      isFull = written == scratch.count
      switch result {
      case Z_OK: break
      case Z_STREAM_END:
        isBetweenMembers = true
        isFull = false
      case Z_BUF_ERROR: return
      default: throw .malformed
      }
    }
  }

  /// Ends the reading.
  ///
  /// - Returns: all that was unpacked.
  package func finish() throws(GzipError) -> [UInt8] {
    guard isBetweenMembers else { throw .incomplete }
    return bytes
  }
}
