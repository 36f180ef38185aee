import NIOCore

/// The content of a value in a file, or part of it.
///
/// What the operating system has in memory is read where the caller runs; for the rest a thread
/// waits. Reading ahead is left to the operating system, which does so with files that are read in
/// sequence.
final class FileContent: ObjectContent {
  /// As much is read at a time.
  static let chunkSize = 256 << 10

  private let key: ObjectKey
  /// Nil if all is in ``first``.
  private let reader: FileReader?
  private var first: ByteBuffer
  /// Where the rest of the part lies in the file.
  private var rest: Range<Int>

  /// - Parameters:
  ///   - first: the beginning of the part, not empty unless the part is.
  ///   - rest: where the rest lies in the file.
  init(_ key: ObjectKey, first: ByteBuffer, rest: Range<Int> = 0..<0, reader: FileReader? = nil) {
    self.key = key
    self.first = first
    self.rest = rest
    self.reader = reader
  }

  func next() async throws(ObjectStoreError) -> ByteBuffer? {
    if Task.isCancelled { throw .givenUp }
    if first.readableBytes > 0 {
      defer { first = ByteBuffer() }
      return first
    }
    guard let reader, !rest.isEmpty else { return nil }
    let offset = rest.lowerBound
    let count = min(rest.count, Self.chunkSize)
    var buffer = try Self.read(reader, of: key, at: offset, count: count, waiting: false)
    if buffer == nil {
      buffer = try await FileThreads.single.run { [key] () throws(ObjectStoreError) in
        try Self.read(reader, of: key, at: offset, count: count, waiting: true)
      }
    }
    guard let buffer, buffer.readableBytes > 0 else {
      throw FileFault.damaged.readingError(of: key)
    }
    rest = (offset + buffer.readableBytes)..<rest.upperBound
    return buffer
  }

  private static func read(
    _ reader: FileReader, of key: ObjectKey, at offset: Int, count: Int, waiting: Bool
  ) throws(ObjectStoreError) -> ByteBuffer? {
    do throws(FileFault) {
      return try reader.read(at: offset, count: count, waiting: waiting)
    } catch {
      throw error.readingError(of: key)
    }
  }
}
