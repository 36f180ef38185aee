/// What is asked of a value, in the terms of RFC 9110.
package struct ReadRequest: Sendable, Hashable {
  /// Nil: the whole value.
  package var range: ByteRangeRequest?
  /// The range holds for this version only; else the whole value is meant (`If-Range`).
  package var rangeValidator: RangeValidator?
  package var conditions: ReadConditions

  package init(
    range: ByteRangeRequest? = nil, rangeValidator: RangeValidator? = nil,
    conditions: ReadConditions = ReadConditions()
  ) {
    self.range = range
    self.rangeValidator = rangeValidator
    self.conditions = conditions
  }

  /// The part of this value that is asked for.
  package func range(of info: ObjectInfo) -> RangeChoice {
    guard let range, rangeValidator?.isValid(for: info) ?? true else { return .whole }
    guard let bytes = range.bytes(of: info.size) else { return .unsatisfiable }
    return .part(bytes)
  }

  package enum RangeChoice: Sendable, Hashable {
    case whole
    case part(Range<Int>)
    case unsatisfiable
  }
}

/// `Range: bytes=`, one range (RFC 9110, section 14.1.2).
package enum ByteRangeRequest: Sendable, Hashable {
  case from(Int)
  /// Both ends belong to it.
  case closed(ClosedRange<Int>)
  /// The last so many bytes.
  case suffix(Int)

  /// - Returns: nil if the value has nothing of it.
  package func bytes(of size: Int) -> Range<Int>? {
    switch self {
    case .from(let start): start < size ? start..<size : nil
    case .closed(let range):
      range.lowerBound < size
        ? range.lowerBound..<(range.upperBound < size ? range.upperBound + 1 : size) : nil
    case .suffix(let count): count > 0 && size > 0 ? max(0, size - count)..<size : nil
    }
  }
}

/// `If-Range` (RFC 9110, section 13.1.5).
package enum RangeValidator: Sendable, Hashable {
  case etag(ETag)
  /// In seconds since 1970, exactly this.
  case modified(Int64)
  /// What can match no version: a weak tag, or a date that is none.
  case never

  package func isValid(for info: ObjectInfo) -> Bool {
    switch self {
    case .etag(let tag): tag == info.etag
    case .modified(let time): time == info.modified
    case .never: false
    }
  }
}
