/// What became of a read.
package enum ReadAnswer {
  case content(ObjectInfo, ReadPart, any ObjectContent)
  case notModified(ObjectInfo)
  /// `If-Match` or `If-Unmodified-Since` does not hold; also `If-Match` on a key without a value.
  case conditionFailed
  /// The value has nothing of the range.
  case unsatisfiable(ObjectInfo)
  case missing
}

/// What became of the question what a read would give.
package enum HeadAnswer: Sendable, Hashable {
  case content(ObjectInfo, ReadPart)
  case notModified(ObjectInfo)
  case conditionFailed
  case unsatisfiable(ObjectInfo)
  case missing
}

/// How much of a value an answer holds.
package enum ReadPart: Sendable, Hashable {
  case whole
  /// Not empty.
  case range(Range<Int>)
}

extension ReadRequest {
  /// How a store that knows the value answers.
  package func answer(to info: ObjectInfo?) -> HeadAnswer {
    guard let info else { return conditions.needsValue ? .conditionFailed : .missing }
    switch conditions.verdict(on: info) {
    case .failed: return .conditionFailed
    case .notModified: return .notModified(info)
    case .holds: break
    }
    switch range(of: info) {
    case .whole: return .content(info, .whole)
    case .part(let bytes): return .content(info, .range(bytes))
    case .unsatisfiable: return .unsatisfiable(info)
    }
  }
}
