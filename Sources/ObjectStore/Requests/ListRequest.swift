/// Which keys are listed.
package struct ListRequest: Sendable, Hashable {
  /// The most entries of one page.
  package static let maximumLimit = 1000

  /// Keys that begin with these bytes.
  package var prefix: String
  /// Only what comes after this, in the order of bytes. It need not be a key.
  package var after: String?
  /// 1 to ``maximumLimit``.
  package var limit: Int
  /// Folds all keys that have it behind the prefix into one entry, up to it and with it. Not empty.
  package var delimiter: String?

  package init(
    prefix: String = "", after: String? = nil, limit: Int = 100, delimiter: String? = nil
  ) {
    self.prefix = prefix
    self.after = after
    self.limit = limit
    self.delimiter = delimiter
  }
}

package struct ListPage: Sendable, Hashable {
  package enum Entry: Sendable, Hashable {
    case object(ListedObject)
    /// All keys that begin with this.
    case prefix(String)
  }

  /// In the order of their bytes.
  package var entries: [Entry]
  /// The `after` of the next page; nil if there is none.
  package var next: String?

  package init(entries: [Entry], next: String? = nil) {
    self.entries = entries
    self.next = next
  }
}

package struct ListedObject: Sendable, Hashable {
  package var key: String
  package var size: Int
  package var etag: ETag
  /// In seconds since 1970.
  package var modified: Int64

  package init(key: String, size: Int, etag: ETag, modified: Int64) {
    self.key = key
    self.size = size
    self.etag = etag
    self.modified = modified
  }
}
