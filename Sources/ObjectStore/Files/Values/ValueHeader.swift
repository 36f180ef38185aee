import NIOCore

/// What stands in front of the content in a value's file, so that one rename replaces both.
///
/// All numbers are little-endian:
///
/// | offset | bytes | |
/// | --- | --- | --- |
/// | 0 | 8 | `hkvs` and the version of the format, 1 |
/// | 8 | 8 | sum of all that follows in the header |
/// | 16 | 8 | size of the content |
/// | 24 | 16 | the two words of the ETag |
/// | 40 | 8 | when it was written, in seconds since 1970 |
/// | 48 | 8 | when it expires, the largest number if never |
/// | 56 | 2 | length of the key |
/// | 58 | 2 | length of the content type, 65,535 if there is none |
/// | 60 | | key, content type |
struct ValueHeader: Sendable {
  /// The longest content type that can be stored.
  static let maximumContentTypeLength = 4096
  static let fixedLength = 60
  private static let magic: UInt64 = 0x1_7376_6b68
  private static let noContentType = UInt16.max

  let key: ObjectKey
  var size = 0
  let etag: (high: UInt64, low: UInt64)
  var modified: Int64 = 0
  let expires: Int64?
  let contentType: String?

  var info: ObjectInfo {
    ObjectInfo(
      size: size, etag: ETag(high: etag.high, low: etag.low), modified: modified,
      contentType: contentType, expires: expires)
  }

  /// Does not depend on the size of the content.
  var length: Int {
    Self.fixedLength + key.text.utf8.count + (contentType?.utf8.count ?? 0)
  }

  /// - Parameter now: in seconds since 1970.
  func isExpired(at now: Int64) -> Bool { expires.map { $0 <= now } ?? false }

  var bytes: ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(length)
    buffer.writeMultipleIntegers(Self.magic, 0 as UInt64, UInt64(size), endianness: .little)
    buffer.writeMultipleIntegers(
      etag.high, etag.low, modified, expires ?? .max, endianness: .little)
    buffer.writeMultipleIntegers(
      UInt16(key.text.utf8.count), contentType.map { UInt16($0.utf8.count) } ?? Self.noContentType,
      endianness: .little)
    buffer.writeString(key.text)
    if let contentType { buffer.writeString(contentType) }
    let sum = buffer.withUnsafeReadableBytes { StableHash.of($0[16..<length]) }
    buffer.setInteger(sum, at: 8, endianness: .little)
    return buffer
  }

  enum Reading {
    case header(ValueHeader)
    /// The header is longer than what is given.
    case incomplete
    case damaged
  }

  /// - Parameter buffer: the first bytes of a file; read up to the content.
  static func read(from buffer: inout ByteBuffer) -> Reading {
    guard buffer.readableBytes >= fixedLength else { return .incomplete }
    let start = buffer.readerIndex
    guard
      let (magic, sum, size) = buffer.getMultipleIntegers(
        at: start, endianness: .little, as: (UInt64, UInt64, UInt64).self),
      let (high, low, modified, expires) = buffer.getMultipleIntegers(
        at: start + 24, endianness: .little, as: (UInt64, UInt64, Int64, Int64).self),
      let (keyLength, typeLength) = buffer.getMultipleIntegers(
        at: start + 56, endianness: .little, as: (UInt16, UInt16).self),
      magic == Self.magic, keyLength <= ObjectKey.maximumLength, let size = Int(exactly: size),
      typeLength == noContentType || typeLength <= maximumContentTypeLength
    else { return .damaged }
    let typeCount = typeLength == noContentType ? 0 : Int(typeLength)
    let length = fixedLength + Int(keyLength) + typeCount
    guard buffer.readableBytes >= length else { return .incomplete }
    let realSum = buffer.withUnsafeReadableBytes { StableHash.of($0[16..<length]) }
    guard sum == realSum,
      let keyBytes = buffer.getBytes(at: start + fixedLength, length: Int(keyLength)),
      let type = buffer.getString(at: start + fixedLength + Int(keyLength), length: typeCount)
    else { return .damaged }
    let key: ObjectKey
    do { key = try ObjectKey(keyBytes) } catch { return .damaged }
    buffer.moveReaderIndex(forwardBy: length)
    return .header(
      ValueHeader(
        key: key, size: size, etag: (high, low), modified: modified,
        expires: expires == .max ? nil : expires,
        contentType: typeLength == noContentType ? nil : type))
  }
}

/// FNV-1a of 64 bits: the same in every process, on every machine.
enum StableHash {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
