import NIOHTTP1

extension S3ObjectStore {
  private static let maximumTurns = 8

  package func delete(_ key: ObjectKey, if condition: WriteCondition) async throws(ObjectStoreError)
  {
    if condition == .none {
      let answer = try await client.perform(S3Call(.DELETE, key))
      guard answer.isSuccess || answer.status == 404 else {
        throw refusal(S3Call(.DELETE, key), answer)
      }
      return
    }
    for _ in 0..<Self.maximumTurns {
      let record = try await live(key)
      guard condition.holds(for: record?.info) else { throw .conditionFailed(condition) }
      guard let record else { return }
      if try await remove(key, record.info.etag) { return }
    }
    throw ObjectStoreError(.busy, "the value changes faster than it can be removed")
  }

  /// Removes one version.
  ///
  /// - Parameter attempts: in place of the configuration's.
  /// - Returns: whether it is gone; false if another one, or none, is there.
  func remove(
    _ key: ObjectKey, _ etag: ETag, attempts: Int? = nil
  ) async throws(ObjectStoreError) -> Bool {
    var call = S3Call(.DELETE, key)
    call.attempts = attempts
    call.headers = S3Pin.version(etag).headers
    let answer = try await client.perform(call)
    if answer.isSuccess { return true }
    guard answer.status == 412 || answer.status == 404 else { throw refusal(call, answer) }
    // Gone by an attempt of ours whose answer was lost.
    if answer.mayHaveRunBefore { return try await record(key)?.info.etag != etag }
    return false
  }
}
