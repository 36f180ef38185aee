import Crypto
import NIOCore
import NIOHTTP1

/// Expired values that are created anew with the bytes that they had.
extension S3ObjectStore {
  /// What to pin a call to that creates a value over an expired one whose ETag it may share: S3 would
  /// let all who do so at the same time.
  ///
  /// - Returns: nil if the value has to go up in another way, so that it gets another ETag.
  func distinct(
    _ pin: S3Pin, _ call: S3Call, _ write: S3Write
  ) async throws(ObjectStoreError) -> S3Pin? {
    guard case .version(let etag) = pin, write.request.condition == .isMissing,
      couldEqual(call, etag)
    else { return pin }
    return call.method == .PUT ? nil : try await replaceExpired(write.key, etag) ?? .absent
  }

  /// Whether the ETag after a write may be the one that is there now: both come from the bytes.
  private func couldEqual(_ call: S3Call, _ etag: ETag) -> Bool {
    guard call.method == .PUT, let body = call.body else { return etag.text.contains("-") }
    let digits = Insecure.MD5.hash(data: Array(body.readableBytesView)).map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    return etag.text.lowercased() == digits.joined()
  }

  /// Puts something that has expired too, and is like nothing else, in the place of an expired value:
  /// of several who then write the same bytes over it, S3 lets only the first. For values of many
  /// parts, whose bytes cannot be given another ETag; who looked before the first of them had written
  /// still wins too, if that was within two requests.
  ///
  /// - Returns: what to pin the write to; nil if another came first, which that write then finds.
  private func replaceExpired(
    _ key: ObjectKey, _ etag: ETag
  ) async throws(ObjectStoreError) -> S3Pin? {
    let mark = S3Write(key, WriteRequest(length: nil, expires: 0))
    var call = S3Call(.PUT, key)
    call.body = ByteBuffer(string: mark.id)
    call.headers = mark.headers + S3Pin.version(etag).headers
    let answer = try await client.perform(call)
    if answer.isSuccess {
      return answer.header("etag").flatMap { ETag(header: $0) }.map { .version($0) }
    }
    guard answer.status == 412 || answer.status == 404 else { throw refusal(call, answer) }
    // Ours, whose answer was lost?
    let found = try await record(key)
    return found?.writeID == mark.id ? found.map { .version($0.info.etag) } : nil
  }
}
