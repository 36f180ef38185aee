import FoundationEssentials

/// A read.
package struct EtcdRange: Sendable {
  package enum Order: Sendable, Hashable {
    case key, createRevision, modRevision
  }

  package var range: EtcdKeyRange
  /// 0: all.
  package var limit: Int
  package var order: Order
  package var isDescending: Bool
  package var keysOnly: Bool
  /// Only ``EtcdRangeResult/count`` is answered.
  package var countOnly: Bool
  /// The past state to read; nil: the newest.
  package var revision: Int64?

  package init(
    _ range: EtcdKeyRange, limit: Int = 0, order: Order = .key, isDescending: Bool = false,
    keysOnly: Bool = false, countOnly: Bool = false, revision: Int64? = nil
  ) {
    self.range = range
    self.limit = limit
    self.order = order
    self.isDescending = isDescending
    self.keysOnly = keysOnly
    self.countOnly = countOnly
    self.revision = revision
  }

  var message: Etcdserverpb_RangeRequest {
    var message = Etcdserverpb_RangeRequest()
    message.key = Data(range.start)
    message.rangeEnd = Data(range.end)
    message.limit = Int64(limit)
    if order != .key || isDescending {
      message.sortOrder = isDescending ? .descend : .ascend
      message.sortTarget =
        switch order {
        case .key: .key
        case .createRevision: .create
        case .modRevision: .mod
        }
    }
    message.keysOnly = keysOnly
    message.countOnly = countOnly
    message.revision = revision ?? 0
    return message
  }
}

package struct EtcdRangeResult: Sendable {
  package let keyValues: [EtcdKeyValue]
  /// Whether the limit left some out.
  package let hasMore: Bool
  /// All keys in the range, whatever the limit.
  package let count: Int
  package let state: EtcdState

  init(_ message: Etcdserverpb_RangeResponse) {
    keyValues = message.kvs.map(EtcdKeyValue.init)
    hasMore = message.more
    count = Int(message.count)
    state = EtcdState(message.header)
  }
}

/// Of when an answer is.
package struct EtcdState: Sendable, Hashable {
  /// The store's revision.
  package let revision: Int64
  /// The election that the answering member knew to be the last. Two answers with the same term,
  /// the second of them linearizable: no other leader came between them.
  package let raftTerm: UInt64

  init(_ header: Etcdserverpb_ResponseHeader) {
    revision = header.revision
    raftTerm = header.raftTerm
  }
}
