extension EtcdClient {
  /// Runs a transaction.
  ///
  /// - Parameter isRepeatable: whether it may be sent to another member when one that did not answer
  ///   may have run it. Then ``EtcdTransactionResult/mayHaveRunBefore`` tells.
  package func transaction(
    _ transaction: EtcdTransaction, isRepeatable: Bool, timeout: Duration
  ) async throws(EtcdError) -> EtcdTransactionResult {
    let answered: Answered<Etcdserverpb_TxnResponse> = try await call(
      Etcdserverpb_KV.Method.Txn.descriptor, transaction.message, timeout: timeout,
      isRepeatable: isRepeatable)
    let expected = answered.answer.succeeded ? transaction.success : transaction.failure
    guard answered.answer.responses.count == expected.count else {
      throw EtcdError(
        .malformedAnswer,
        "Txn: \(answered.answer.responses.count) results for \(expected.count)"
          + " operations", mayHaveRun: true)
    }
    return EtcdTransactionResult(answered.answer, mayHaveRunBefore: answered.mayHaveRunBefore)
  }

  /// Reads, linearizably: nothing older than what was there when the call was made.
  package func range(
    _ range: EtcdRange, timeout: Duration
  ) async throws(EtcdError) -> EtcdRangeResult {
    let answered: Answered<Etcdserverpb_RangeResponse> = try await call(
      Etcdserverpb_KV.Method.Range.descriptor, range.message, timeout: timeout)
    return EtcdRangeResult(answered.answer)
  }

  /// Reads one key; nil if it is not there.
  package func get(_ key: String, timeout: Duration) async throws(EtcdError) -> EtcdKeyValue? {
    try await range(EtcdRange(.key(key)), timeout: timeout).keyValues.first
  }
}
