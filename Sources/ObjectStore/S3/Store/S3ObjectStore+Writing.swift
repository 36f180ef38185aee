import NIOCore
import NIOHTTP1

extension S3ObjectStore {
  /// How often a write looks again at what it collided with.
  private static let maximumTurns = 16

  package func write(
    _ key: ObjectKey, _ request: WriteRequest, from source: any ObjectSource
  ) async throws(ObjectStoreError) -> ObjectInfo {
    var source = MeasuredSource(source, request)
    let write = S3Write(key, request)
    let size = min(request.length ?? configuration.partBytes, configuration.partBytes)
    try await memory.take(size)
    var isHeld = true
    defer { if isHeld { memory.giveBack(size) } }

    var first = ByteBuffer()
    first.reserveCapacity(request.length == nil ? min(size, 64 << 10) : size)
    var hasMore = try await source.fill(&first, upTo: size)
    if hasMore, first.readableBytes == request.length {
      // Whole, unless the source has more than it should, which it then says.
      hasMore = try await source.next() != nil
    }
    if !hasMore { return try await put(write, first) }
    // From here on the parts hold the memory.
    isHeld = false
    return try await S3MultipartUpload(write, store: self).run(first, size, &source)
  }

  private func put(
    _ write: S3Write, _ value: ByteBuffer
  ) async throws(ObjectStoreError) -> ObjectInfo {
    var call = S3Call(.PUT, write.key)
    call.body = value
    call.headers = write.headers
    let stored = try await store(write, by: call)
    return try write.info(of: stored, size: value.readableBytes, etag: nil, at: clock.now)
  }

  /// Carries out the call that makes a value visible, under the condition of its write.
  ///
  /// - Parameter call: without the condition.
  /// - Returns: the answer, or the object's head where the answer was lost.
  func store(_ write: S3Write, by call: S3Call) async throws(ObjectStoreError) -> S3Stored {
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
      let found = try await record(write.key)
      if let found, found.writeID == write.id { return .found(found) }
      if answer.mayHaveRunBefore {
        throw ObjectStoreError(
          .unavailable,
          "S3 did not say what became of a write; since then another one has come", mayHaveRun: true
        )
      }
      if pin == .none { throw refusal(call, answer) }
      guard let next = S3Pin(condition, for: found, at: clock.now),
        isWorthwhile(next, after: pin, answer)
      else { throw .conditionFailed(condition) }
      pin = next
    }
    throw ObjectStoreError(.busy, "the value changes faster than it can be written")
  }

  /// An upload that is gone, and a condition that did not hold a moment ago and still is the same:
  /// asking once more would bring nothing else.
  private func isWorthwhile(_ next: S3Pin, after pin: S3Pin, _ answer: S3Answer) -> Bool {
    if answer.error.code == "NoSuchUpload" { return false }
    return next != pin || answer.status == 412
  }
}

/// How a write is known to have been done.
enum S3Stored {
  case answer(S3Answer)
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
