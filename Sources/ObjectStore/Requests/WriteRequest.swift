/// What a value is stored as, and when.
package struct WriteRequest: Sendable, Hashable {
  /// The number of bytes that the source has, if it is known. A source that has fewer or more has
  /// broken off.
  package var length: Int?
  /// The most bytes of a source whose length is not known.
  package var maximumLength: Int
  package var contentType: String?
  /// In seconds since 1970. Nil: the value stays.
  package var expires: Int64?
  package var condition: WriteCondition

  package init(
    length: Int?, maximumLength: Int = .max, contentType: String? = nil, expires: Int64? = nil,
    condition: WriteCondition = .none
  ) {
    self.length = length
    self.maximumLength = maximumLength
    self.contentType = contentType
    self.expires = expires
    self.condition = condition
  }
}

/// What must hold at the moment of a write. Of several writers with conditions that exclude each
/// other, exactly one succeeds.
package enum WriteCondition: Sendable, Hashable {
  case none
  /// `If-None-Match: *`: the key has no value.
  case isMissing
  /// `If-Match`: the key has a value, and of this version.
  case matches(ETagCondition)

  package func holds(for info: ObjectInfo?) -> Bool {
    switch self {
    case .none: true
    case .isMissing: info == nil
    case .matches(let condition): info.map { condition.matches($0.etag) } ?? false
    }
  }
}
