import Glibc
import NIOCore

/// A value that is open: what is there stays readable, whatever happens to the key.
struct ValueFile: Sendable {
  let header: ValueHeader
  /// Where the content begins in the file.
  let contentStart: Int
  /// The first bytes of the content, as many as came with the header.
  let first: ByteBuffer
  let reader: FileReader

  enum Opening: Sendable {
    case missing
    case value(ValueFile)
    /// The disk would have to be waited for.
    case wouldWait
  }

  /// Opens what a key has, and reads as much as is needed to know of it.
  ///
  /// - Parameter waiting: whether it may wait for the disk. Finding the file may in any case.
  /// - Throws: `corrupt` for a file that is not a whole value of this key.
  static func open(
    _ key: ObjectKey, at path: ValuePath, in root: Descriptor, waiting: Bool
  ) throws(ObjectStoreError) -> Opening {
    do throws(FileFault) {
      let descriptor = try Descriptor(in: root.number, path.text, O_RDONLY)
      return try open(key, FileReader(descriptor), waiting: waiting)
    } catch {
      if error.isMissing { return .missing }
      throw error.readingError(of: key)
    }
  }

  private static func open(
    _ key: ObjectKey, _ reader: FileReader, waiting: Bool
  ) throws(FileFault) -> Opening {
    guard var buffer = try reader.read(at: 0, count: firstSize, waiting: waiting) else {
      return .wouldWait
    }
    let count = buffer.readableBytes
    let header: ValueHeader
    switch ValueHeader.read(from: &buffer) {
    case .damaged: throw .damaged
    // Less than a header is in memory; or in the file.
    case .incomplete: if waiting { throw .damaged } else { return .wouldWait }
    case .header(let whole): header = whole
    }
    let start = count - buffer.readableBytes
    let (fileSize, overflow) = start.addingReportingOverflow(header.size)
    // Who has all of a small value needs not ask for its length.
    let isWhole = fileSize == count && count < firstSize ? true : try reader.size() == fileSize
    guard isWhole, !overflow, header.key == key else { throw .damaged }
    return .value(ValueFile(header: header, contentStart: start, first: buffer, reader: reader))
  }

  /// The first read: any header, and small values whole.
  private static let firstSize = 8 << 10
}

extension FileFault {
  /// Not of the operating system: what is in the file is not what was written.
  static let damaged = FileFault(code: EBADMSG)

  func readingError(of key: ObjectKey) -> ObjectStoreError {
    if self != .damaged { return error("cannot read a value") }
    // One line, whatever the key has.
    let name = key.text.debugDescription
    return ObjectStoreError(
      .corrupt, "the file of key \(name) is damaged: write it again or delete it")
  }
}
