import HTTPUpstream
import NIOCore
import NIOHTTP1

extension S3ObjectStore {
  /// How often a read begins anew because the value changed between its two requests.
  private static let maximumTurns = 8

  package func head(
    _ key: ObjectKey, _ request: ReadRequest
  ) async throws(ObjectStoreError) -> HeadAnswer {
    request.answer(to: try await live(key)?.info)
  }

  package func read<Result: Sendable>(
    _ key: ObjectKey, _ request: ReadRequest, _ use: (ReadAnswer) async throws -> Result
  ) async throws -> Result {
    for _ in 0..<Self.maximumTurns {
      guard let answer = try await open(key, request) else { continue }
      guard case .content(_, _, let content as S3Content) = answer else {
        return try await use(answer)
      }
      defer { content.close() }
      return try await use(answer)
    }
    throw ObjectStoreError(.busy, "the value changes faster than it can be read")
  }

  // MARK: Heads

  /// The object of a key, expired or not; nil if there is none.
  ///
  /// - Parameter attempts: in place of the configuration's.
  func record(_ key: ObjectKey, attempts: Int? = nil) async throws(ObjectStoreError) -> S3Record? {
    var call = S3Call(.HEAD, key)
    call.attempts = attempts
    let answer = try await client.perform(call)
    if answer.isSuccess { return try S3Record(answer) }
    guard try await isMissing(call, answer) else { throw refusal(call, answer) }
    return nil
  }

  /// As ``record(_:attempts:)``, where a refusal need not be the end.
  func look(_ key: ObjectKey) async throws(ObjectStoreError) -> S3Look {
    let call = S3Call(.HEAD, key)
    let answer = try await client.perform(call)
    if answer.isSuccess { return .found(try S3Record(answer)) }
    switch answer.status {
    case 404: return .missing
    case 403: return .hidden
    default: throw refusal(call, answer)
    }
  }

  /// The object of a key that has not expired.
  func live(_ key: ObjectKey) async throws(ObjectStoreError) -> S3Record? {
    guard let record = try await record(key) else { return nil }
    return isLive(record, key) ? record : nil
  }

  private func isLive(_ record: S3Record, _ key: ObjectKey) -> Bool {
    guard record.info.isExpired(at: clock.now) else { return true }
    if let object = S3ExpiredObject(key, record), mayRemove(object) { foundExpired.yield(object) }
    return false
  }

  // MARK: Content

  /// Nil if the value changed meanwhile: ask again.
  private func open(
    _ key: ObjectKey, _ request: ReadRequest
  ) async throws(ObjectStoreError) -> ReadAnswer? {
    if request.conditions != ReadConditions() { return try await openByHead(key, request) }
    var range = request.range
    var pin: ETag?
    switch request.rangeValidator {
    case .etag(let tag)?: pin = range == nil ? nil : tag
    case .modified?: return try await openByHead(key, request)
    case .never?: range = nil
    case nil: break
    }
    let (call, answer) = try await get(key, range?.field, pin: pin)
    switch answer.status {
    case 200..<300:
      let found = try content(of: key, answer) ?? .missing
      // Some servers take a range that the value has nothing of for none, or for all.
      guard range != nil, case .content(let info, _, let content as S3Content) = found,
        case .unsatisfiable = request.range(of: info)
      else { return found }
      content.close()
      return .unsatisfiable(info)
    case 412 where pin != nil:
      // Another version: the whole of it is wanted.
      return try await open(key, ReadRequest())
    case 416: return try await openByHead(key, request)
    default:
      guard try await isMissing(call, answer) else { throw refusal(call, answer) }
      return .missing
    }
  }

  /// Decides by the object's head, then reads that very version.
  private func openByHead(
    _ key: ObjectKey, _ request: ReadRequest
  ) async throws(ObjectStoreError) -> ReadAnswer? {
    switch try await head(key, request) {
    case .missing: return .missing
    case .conditionFailed: return .conditionFailed
    case .notModified(let info): return .notModified(info)
    case .unsatisfiable(let info): return .unsatisfiable(info)
    case .content(let info, let part):
      var field: String?
      if case .range(let range) = part { field = range.field }
      let (call, answer) = try await get(key, field, pin: info.etag)
      if answer.isSuccess { return try content(of: key, answer) }
      if answer.status == 412 || answer.status == 416 { return nil }
      guard try await isMissing(call, answer) else { throw refusal(call, answer) }
      return nil
    }
  }

  private func get(
    _ key: ObjectKey, _ range: String?, pin: ETag?
  ) async throws(ObjectStoreError) -> (S3Call, S3Answer) {
    var call = S3Call(.GET, key)
    call.streams = true
    if let range { call.headers.append(("range", range)) }
    if let pin { call.headers.append(("if-match", pin.description)) }
    return (call, try await client.perform(call))
  }

  /// Nil if the value has expired.
  private func content(
    of key: ObjectKey, _ answer: S3Answer
  ) throws(ObjectStoreError) -> ReadAnswer? {
    guard let response = answer.response else { return nil }
    let range: ContentRange? =
      answer.status == 206 ? answer.header("content-range").flatMap { ContentRange($0) } : nil
    if answer.status == 206, range == nil {
      throw ObjectStoreError(.corrupt, "S3 sent a part of a value without saying which")
    }
    let record = try S3Record(answer, size: range?.size)
    guard isLive(record, key) else {
      response.close()
      return nil
    }
    let bytes = range?.range ?? 0..<record.info.size
    let content = S3Content(response, of: key, etag: record.info.etag, bytes: bytes, from: self)
    return .content(record.info, range.map { .range($0.range) } ?? .whole, content)
  }

  /// The rest of a value whose connection broke.
  func resume(
    _ key: ObjectKey, _ bytes: Range<Int>, of etag: ETag
  ) async throws(ObjectStoreError) -> S3Answer {
    let (call, answer) = try await get(key, bytes.field, pin: etag)
    switch answer.status {
    case 206: break
    case 404, 412, 416:
      throw ObjectStoreError(.unavailable, "the value was replaced while it was read")
    default:
      answer.response?.close()
      throw refusal(call, answer)
    }
    guard answer.header("content-range").flatMap({ ContentRange($0) })?.range == bytes,
      answer.header("etag").flatMap({ ETag(header: $0) }) == etag
    else {
      answer.response?.close()
      throw ObjectStoreError(.corrupt, "S3 sent another part of a value than it was asked for")
    }
    return answer
  }
}

extension ByteRangeRequest {
  /// As `Range` has it.
  fileprivate var field: String {
    switch self {
    case .from(let start): "bytes=\(start)-"
    case .closed(let range): "bytes=\(range.lowerBound)-\(range.upperBound)"
    case .suffix(let count): "bytes=-\(count)"
    }
  }
}

extension Range<Int> {
  fileprivate var field: String { "bytes=\(lowerBound)-\(upperBound - 1)" }
}
