import Crypto
import NIOCore
import NIOHTTP1

extension S3ObjectStore {
  /// How often a write looks again at what it collided with.
  private static let maximumTurns = 16
  private static let blockBytes = 64 << 10

  package func write(
    _ key: ObjectKey, _ request: WriteRequest, from source: any ObjectSource
  ) async throws(ObjectStoreError) -> ObjectInfo {
    var source = MeasuredSource(source, request)
    let write = S3Write(key, request)
    let upload = try S3MultipartUpload(write, store: self)
    let size = min(request.length ?? upload.partBytes, upload.partBytes)
    // Small values, and the beginning of others, wait for nobody: so much each connection may have.
    let block = min(size, Self.blockBytes)
    var first = ByteBuffer()
    first.reserveCapacity(block)
    var hasMore = try await source.fill(&first, upTo: block)
    let part = memory.room(first)
    first = ByteBuffer()
    defer { part.close() }
    if hasMore, block < size { hasMore = try await part.fill(upTo: size, from: &source) }
    if hasMore, part.bytes.readableBytes == request.length {
      // Whole, unless the source has more than it should, which it then says.
      hasMore = try await source.next() != nil
    }
    if !hasMore { return try await put(write, part.bytes) }
    return try await upload.run(part, &source)
  }

  private func put(
    _ write: S3Write, _ value: ByteBuffer
  ) async throws(ObjectStoreError) -> ObjectInfo {
    var call = S3Call(.PUT, write.key)
    call.body = value
    call.headers = write.headers
    let stored = try await store(write, by: call)
    if case .sameBytes = stored {
      // As an upload of one part it has another ETag.
      return try await S3MultipartUpload(write, store: self).run(value)
    }
    return try write.info(of: stored, size: value.readableBytes, etag: nil, at: clock.now)
  }

  /// Carries out the call that makes a value visible, under the condition of its write.
  ///
  /// - Parameter call: without the condition.
  /// - Returns: the answer, or the object's head where the answer was lost.
  func store(_ write: S3Write, by call: S3Call) async throws(ObjectStoreError) -> S3Stored {
    let use: KeyTurns.Use = write.request.condition == .none ? .write : .conditionalWrite
    return try await turns.withTurn(write.key, use) { () async throws(ObjectStoreError) in
      try await storeInTurn(write, by: call)
    }
  }

  private func storeInTurn(
    _ write: S3Write, by call: S3Call
  ) async throws(ObjectStoreError) -> S3Stored {
    let condition = write.request.condition
    var pin = S3Pin.none
    switch condition {
    case .none: break
    case .isMissing: pin = .absent
    case .matches:
      guard let found = S3Pin(condition, for: try await record(write.key), at: clock.now) else {
        throw .conditionFailed(condition)
      }
      pin = found
    }
    for _ in 0..<Self.maximumTurns {
      var pinned = call
      pinned.headers += pin.headers
      let answer = try await client.perform(pinned)
      if answer.isSuccess { return .answer(answer) }
      guard answer.status == 412 || answer.status == 404 else { throw refusal(call, answer) }
      // Another value is there, or none; or ours, whose answer was lost.
      let look = try await look(write.key)
      let found = look.record
      if let found, found.writeID == write.id { return .found(found) }
      if answer.mayHaveRunBefore {
        throw ObjectStoreError(
          .unavailable,
          "S3 did not say what became of a write; since then another one has come", mayHaveRun: true
        )
      }
      if pin == .none { throw refusal(call, answer) }
      // Who may not read cannot be told that what is there has expired.
      if case .hidden = look, answer.status == 412 { throw .conditionFailed(condition) }
      guard let next = S3Pin(condition, for: found, at: clock.now) else {
        throw .conditionFailed(condition)
      }
      if answer.error.code == "NoSuchUpload" {
        throw ObjectStoreError(.busy, "the upload was lost in a race with another write")
      }
      if next == pin, answer.status == 404 {
        throw ObjectStoreError(.busy, "S3 does not find the value that it shows")
      }
      pin = next
      if case .version(let etag) = pin, condition == .isMissing, couldEqual(call, etag) {
        if call.method == .PUT { return .sameBytes }
        pin = try await replaceExpired(write.key, etag) ?? .absent
      }
    }
    throw ObjectStoreError(.busy, "the value changes faster than it can be written")
  }

  // MARK: Expired values with the same bytes

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

/// How a write is known to have been done.
enum S3Stored {
  case answer(S3Answer)
  /// It was not: an expired value with the same ETag is there, and S3 would let all who create this
  /// one over it.
  case sameBytes
  /// Its answer was lost, and the object bears its mark.
  case found(S3Record)
}

/// One write, whatever requests it takes.
struct S3Write: Sendable {
  let key: ObjectKey
  let request: WriteRequest
  /// Names this write among all.
  let id: String

  init(_ key: ObjectKey, _ request: WriteRequest) {
    self.key = key
    self.request = request
    id =
      String(UInt64.random(in: 0 ... .max), radix: 36)
      + String(UInt64.random(in: 0 ... .max), radix: 36)
  }

  /// What is stored beside the value.
  var headers: [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = [(S3Record.writeIDField, id)]
    if let type = request.contentType { headers.append(("content-type", type)) }
    if let expires = request.expires {
      headers.append((S3Record.expiresField, String(expires)))
    }
    return headers
  }

  /// - Parameter etag: where it is not in the answer's head.
  func info(
    of stored: S3Stored, size: Int, etag: ETag?, at now: Int64
  ) throws(ObjectStoreError) -> ObjectInfo {
    switch stored {
    case .found(let record): return record.info
    case .sameBytes: throw ObjectStoreError(.busy, "the value expires just now")
    case .answer(let answer):
      guard let etag = etag ?? answer.header("etag").flatMap({ ETag(header: $0) }) else {
        throw ObjectStoreError(
          .corrupt, "S3 stored a value without saying its ETag", mayHaveRun: true)
      }
      let date = answer.header("date").flatMap(UTCTime.init(httpDate:))?.secondsSince1970
      return ObjectInfo(
        size: size, etag: etag, modified: date ?? now, contentType: request.contentType,
        expires: request.expires)
    }
  }
}
