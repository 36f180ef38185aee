/// What is known of a value without reading it.
package struct ObjectInfo: Sendable, Hashable {
  /// In bytes.
  package var size: Int
  package var etag: ETag
  /// In seconds since 1970, as precise as `Last-Modified` is.
  package var modified: Int64
  /// As it was stored.
  package var contentType: String?
  /// In seconds since 1970: from that second on the value is not there. Nil: it stays.
  package var expires: Int64?

  package init(
    size: Int, etag: ETag, modified: Int64, contentType: String? = nil, expires: Int64? = nil
  ) {
    self.size = size
    self.etag = etag
    self.modified = modified
    self.contentType = contentType
    self.expires = expires
  }

  /// - Parameter now: in seconds since 1970.
  package func isExpired(at now: Int64) -> Bool { expires.map { $0 <= now } ?? false }
}
