/// The preconditions of a read (RFC 9110, section 13). Times are in seconds since 1970.
package struct ReadConditions: Sendable, Hashable {
  package var ifMatch: ETagCondition?
  package var ifNoneMatch: ETagCondition?
  package var ifModifiedSince: Int64?
  package var ifUnmodifiedSince: Int64?

  package init(
    ifMatch: ETagCondition? = nil, ifNoneMatch: ETagCondition? = nil,
    ifModifiedSince: Int64? = nil, ifUnmodifiedSince: Int64? = nil
  ) {
    self.ifMatch = ifMatch
    self.ifNoneMatch = ifNoneMatch
    self.ifModifiedSince = ifModifiedSince
    self.ifUnmodifiedSince = ifUnmodifiedSince
  }

  package enum Verdict: Sendable, Hashable {
    case holds
    case notModified
    case failed
  }

  /// In the order of RFC 9110, section 13.2.2.
  package func verdict(on info: ObjectInfo) -> Verdict {
    if let ifMatch {
      if !ifMatch.matches(info.etag) { return .failed }
    } else if let ifUnmodifiedSince, info.modified > ifUnmodifiedSince {
      return .failed
    }
    if let ifNoneMatch {
      if ifNoneMatch.matches(info.etag) { return .notModified }
    } else if let ifModifiedSince, info.modified <= ifModifiedSince {
      return .notModified
    }
    return .holds
  }

  /// Whether a key without a value is a failed condition, and not just missing.
  package var needsValue: Bool { ifMatch != nil }
}
