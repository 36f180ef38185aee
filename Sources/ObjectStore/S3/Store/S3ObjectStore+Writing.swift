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
    case .isMissing:
      pin = .absent
      // Not all servers take conditions for uploads of many parts: between this look and the end of
      // that request they would lose what another process writes, but not what is there already.
      if call.method == .POST {
        let look = try await look(write.key)
        guard let found = S3Pin(condition, for: look.record, at: clock.now) else {
          throw .conditionFailed(condition)
        }
        pin = try await distinct(found, call, write) ?? found
      }
    case .matches:
      guard let found = S3Pin(condition, for: try await record(write.key), at: clock.now) else {
        throw .conditionFailed(condition)
      }
      pin = found
    }
    // How often the version that is there was refused as another one.
    var refusals = 0
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
      if answer.status == 412, let etag = next.etag, etag == pin.etag {
        refusals += 1
        guard refusals <= 2 else {
          throw ObjectStoreError(.busy, "S3 takes the version that it shows for another one")
        }
        // The first time it may have been another one for a moment.
        pin = refusals == 2 ? .bareVersion(etag) : next
        continue
      }
      guard let distinct = try await distinct(next, call, write) else { return .sameBytes }
      pin = distinct
    }
    throw ObjectStoreError(.busy, "the value changes faster than it can be written")
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
