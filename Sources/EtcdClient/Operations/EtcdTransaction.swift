import FoundationEssentials

/// Conditions, and what is done if all of them hold or else: all at once or not at all.
package struct EtcdTransaction: Sendable {
  package indirect enum Operation: Sendable {
    case range(EtcdRange)
    case put(key: [UInt8], value: [UInt8], lease: EtcdLease?)
    case delete(EtcdKeyRange)
    case transaction(EtcdTransaction)

    package static func put(
      _ key: String, _ value: String, lease: EtcdLease? = nil
    ) -> Operation {
      .put(key: Array(key.utf8), value: Array(value.utf8), lease: lease)
    }

    /// Reads one key.
    package static func get(_ key: String) -> Operation { .range(EtcdRange(.key(key))) }
  }

  package var conditions: [EtcdCompare]
  package var success: [Operation]
  package var failure: [Operation]

  package init(
    if conditions: [EtcdCompare] = [], then success: [Operation], else failure: [Operation] = []
  ) {
    self.conditions = conditions
    self.success = success
    self.failure = failure
  }

  var message: Etcdserverpb_TxnRequest {
    var message = Etcdserverpb_TxnRequest()
    message.compare = conditions.map(\.message)
    message.success = success.map(\.message)
    message.failure = failure.map(\.message)
    return message
  }
}

extension EtcdTransaction.Operation {
  fileprivate var message: Etcdserverpb_RequestOp {
    var message = Etcdserverpb_RequestOp()
    switch self {
    case .range(let range): message.requestRange = range.message
    case .put(let key, let value, let lease):
      var put = Etcdserverpb_PutRequest()
      put.key = Data(key)
      put.value = Data(value)
      put.lease = lease?.id ?? 0
      message.requestPut = put
    case .delete(let range):
      var delete = Etcdserverpb_DeleteRangeRequest()
      delete.key = Data(range.start)
      delete.rangeEnd = Data(range.end)
      message.requestDeleteRange = delete
    case .transaction(let transaction): message.requestTxn = transaction.message
    }
    return message
  }
}

package struct EtcdTransactionResult: Sendable {
  package indirect enum OperationResult: Sendable {
    case range(EtcdRangeResult)
    case put
    case deleted(Int)
    case transaction(EtcdTransactionResult)
  }

  /// Whether the conditions held.
  package let succeeded: Bool
  /// One for each operation of the branch that was run.
  package let results: [OperationResult]
  package let state: EtcdState
  /// An earlier attempt of the same call, to a member that did not answer, may have been run too.
  package let mayHaveRunBefore: Bool

  /// What the range at this place of the branch found; empty where no range was.
  package func keyValues(at index: Int) -> [EtcdKeyValue] {
    guard results.indices.contains(index), case .range(let range) = results[index] else {
      return []
    }
    return range.keyValues
  }

  init(_ message: Etcdserverpb_TxnResponse, mayHaveRunBefore: Bool) {
    succeeded = message.succeeded
    state = EtcdState(message.header)
    self.mayHaveRunBefore = mayHaveRunBefore
    results = message.responses.map { response in
      switch response.response {
      case .responseRange(let range): .range(EtcdRangeResult(range))
      case .responseDeleteRange(let delete): .deleted(Int(delete.deleted))
      case .responseTxn(let transaction):
        .transaction(EtcdTransactionResult(transaction, mayHaveRunBefore: mayHaveRunBefore))
      case .responsePut, nil: .put
      }
    }
  }
}
