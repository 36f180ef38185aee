import HTTPServing
import ObjectStore

extension RequestFields {
  /// What a GET or HEAD asks of a value.
  ///
  /// - Parameters:
  ///   - hasRange: a range means something for GET only (RFC 9110, section 14.2).
  ///   - now: in seconds since 1970.
  func readRequest(hasRange: Bool, now: Int64) throws(Refusal) -> ReadRequest {
    var request = ReadRequest()
    if let ifMatch {
      request.conditions.ifMatch = try Self.tags("If-Match", ifMatch, keepsWeak: false)
    }
    if let ifNoneMatch {
      request.conditions.ifNoneMatch = try Self.tags("If-None-Match", ifNoneMatch, keepsWeak: true)
    }
    // Dates that are none are ignored (sections 13.1.3 and 13.1.4).
    request.conditions.ifModifiedSince = ifModifiedSince.flatMap {
      HTTPDate.seconds(parsing: $0, now: now)
    }
    request.conditions.ifUnmodifiedSince = ifUnmodifiedSince.flatMap {
      HTTPDate.seconds(parsing: $0, now: now)
    }
    if hasRange, let range {
      request.range = RangeField.range(range)
      request.rangeValidator = ifRange.map { RangeField.validator($0) }
    }
    return request
  }

  /// What must hold for a write. A condition that stores cannot check is refused: to ignore it
  /// would lose somebody's value.
  func writeCondition() throws(Refusal) -> WriteCondition {
    guard ifUnmodifiedSince == nil else {
      throw .badRequest("If-Unmodified-Since is not supported for changes: use If-Match")
    }
    switch (ifMatch, ifNoneMatch) {
    case (nil, nil): return .none
    case (let text?, nil): return .matches(try Self.tags("If-Match", text, keepsWeak: false))
    case (nil, let text?):
      guard try Self.tags("If-None-Match", text, keepsWeak: true) == .any else {
        throw .badRequest("for changes, If-None-Match can only be *")
      }
      return .isMissing
    case (_?, _?): throw .badRequest("only one of If-Match and If-None-Match can hold")
    }
  }

  private static func tags(
    _ name: String, _ text: String, keepsWeak: Bool
  ) throws(Refusal) -> ETagCondition {
    guard let condition = EntityTagList.condition(text, keepsWeak: keepsWeak) else {
      throw .badRequest(#"\#(name) has to be * or tags in quotation marks: "abc", "def""#)
    }
    return condition
  }
}
