import HTTPUpstream
import NIOHTTP1

/// An object as S3 has it, with what this store writes beside the value.
///
/// - `x-amz-meta-kvs-expires`: the second since 1970 from which on the value is not there;
/// - `x-amz-meta-kvs-write-id`: which write it was, so that one whose answer was lost is known again.
struct S3Record: Sendable {
  static let expiresField = "x-amz-meta-kvs-expires"
  static let writeIDField = "x-amz-meta-kvs-write-id"
  /// What S3 says of an object that was stored without a type.
  private static let untyped = "binary/octet-stream"

  var info: ObjectInfo
  var writeID: String?

  /// - Throws: `corrupt` if the answer lacks what an object has.
  init(_ answer: S3Answer, size: Int? = nil) throws(ObjectStoreError) {
    guard let size = size ?? answer.header("content-length").flatMap({ Int($0) }), size >= 0,
      let etag = answer.header("etag").flatMap({ ETag(header: $0) }),
      let modified = answer.header("last-modified").flatMap(UTCTime.init(httpDate:))
    else {
      throw ObjectStoreError(
        .corrupt, "S3 answered without the object's size, ETag or time (status \(answer.status))")
    }
    let type = answer.header("content-type")
    info = ObjectInfo(
      size: size, etag: etag, modified: modified.secondsSince1970,
      contentType: type == Self.untyped ? nil : type,
      expires: answer.header(Self.expiresField).flatMap { Int64($0) })
    writeID = answer.header(Self.writeIDField)
  }
}

/// What a look at a key shows.
enum S3Look: Sendable {
  case found(S3Record)
  case missing
  /// Refused, which hides whether something is there.
  case hidden

  var record: S3Record? { if case .found(let record) = self { record } else { nil } }
}

/// `Content-Range` of a part (RFC 9110, section 14.4).
struct ContentRange: Sendable, Hashable {
  let range: Range<Int>
  /// Of the whole.
  let size: Int

  /// Nil if it is none, or the size is not known.
  init?(_ text: String) {
    guard text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    let ends = parts.first?.split(separator: "-", omittingEmptySubsequences: false) ?? []
    guard parts.count == 2, ends.count == 2, let size = Int(parts[1]), let first = Int(ends[0]),
      let last = Int(ends[1]), first >= 0, first <= last, last < size
    else { return nil }
    range = first..<(last + 1)
    self.size = size
  }
}
