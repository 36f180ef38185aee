/// What S3 itself is asked to check at the moment of a write: it knows nothing of expiry, of `*`, and
/// of several versions, so those are looked at first, and the write is pinned to what was found.
enum S3Pin: Sendable, Hashable {
  case none
  case absent
  case version(ETag)
  /// Without quotes, for servers that compare with what they keep, letter by letter: Ceph's gateway,
  /// in 16.2 at least, does.
  case bareVersion(ETag)

  var headers: [(name: String, value: String)] {
    switch self {
    case .none: []
    case .absent: [("if-none-match", "*")]
    case .version(let etag): [("if-match", etag.description)]
    case .bareVersion(let etag): [("if-match", etag.text)]
    }
  }

  var etag: ETag? {
    switch self {
    case .none, .absent: nil
    case .version(let etag), .bareVersion(let etag): etag
    }
  }

  /// Nil if the condition does not hold for what is there.
  ///
  /// - Parameter record: may have expired; then it counts as nothing, and the write replaces it.
  init?(_ condition: WriteCondition, for record: S3Record?, at now: Int64) {
    let isExpired = record?.info.isExpired(at: now) ?? false
    guard condition.holds(for: isExpired ? nil : record?.info) else { return nil }
    switch (condition, record) {
    case (.none, _): self = .none
    case (_, nil): self = .absent
    case (_, let record?): self = .version(record.info.etag)
    }
  }
}
