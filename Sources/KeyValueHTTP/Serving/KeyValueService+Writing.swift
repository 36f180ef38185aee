import HTTPServing
import NIOCore
import NIOHTTP1
import ObjectStore

extension KeyValueService {
  func put(_ key: ObjectKey, _ visit: inout Visit) async throws {
    let fields = visit.fields
    try access.check(.write, key.text, fields, visit.exchange.request.headers)
    try fields.checkContent()
    var request = WriteRequest(length: nil, maximumLength: maximumValueBytes)
    request.condition = try fields.writeCondition()
    request.expires = try fields.expires(now: clock.now)
    request.contentType = try fields.chosenContentType()
    request.length = try length(visit)
    if fields.expectsContinue { try await checkEarly(key, request.condition) }
    let body = RequestBody(visit.exchange)
    defer { visit.bytesReceived = body.received }
    if request.contentType == nil {
      request.contentType = ContentSniffer.contentType(
        of: try await body.start(ContentSniffer.length))
    }
    let info = try await store.write(key, request, from: body)
    try await text("OK", etag: info.etag, &visit)
  }

  func delete(_ key: ObjectKey, _ visit: inout Visit) async throws {
    try access.check(.write, key.text, visit.fields, visit.exchange.request.headers)
    let condition = try visit.fields.writeCondition()
    if case .isMissing = condition {
      throw Refusal.badRequest("to delete only what is not there makes no sense: use If-Match")
    }
    try await store.delete(key, if: condition)
    try await text("OK", &visit)
  }

  /// The number of bytes that the body has, nil if it comes in chunks.
  private func length(_ visit: Visit) throws(Refusal) -> Int? {
    if visit.exchange.request.headers.contains(name: "transfer-encoding") { return nil }
    // Without either, there is no body (RFC 9112, section 6.3).
    guard let text = visit.fields.contentLength else { return 0 }
    // The parser has made sure that it is a number; one that is no Int is too large.
    guard let length = Int(text), length <= maximumValueBytes else {
      throw .tooLarge(limit: maximumValueBytes)
    }
    return length
  }

  /// Spares a client that waits for a word (`Expect: 100-continue`) the way of a body that will not
  /// be stored. Whether the condition holds when it counts, the store says.
  private func checkEarly(_ key: ObjectKey, _ condition: WriteCondition) async throws {
    if case .none = condition { return }
    let info: ObjectInfo? =
      switch try await store.head(key, ReadRequest()) {
      case .content(let info, _), .notModified(let info), .unsatisfiable(let info): info
      case .missing, .conditionFailed: nil
      }
    if !condition.holds(for: info) { throw Refusal.preconditionFailed }
  }
}

/// The body of a request, as what a store writes from.
final class RequestBody: ObjectSource {
  private let exchange: HTTPExchange
  /// What was looked at already.
  private var ahead = CircularBuffer<ByteBuffer>()
  private var isAtEnd = false
  /// In bytes.
  private(set) var received = 0

  init(_ exchange: HTTPExchange) { self.exchange = exchange }

  func next() async throws -> ByteBuffer? {
    if let bytes = ahead.popFirst() { return bytes }
    if isAtEnd { return nil }
    return try await receive()
  }

  /// The first bytes, which ``next()`` still gives.
  ///
  /// - Parameter count: fewer come if the body is shorter.
  func start(_ count: Int) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      guard let part = try await receive() else {
        isAtEnd = true
        break
      }
      bytes.append(contentsOf: part.readableBytesView.prefix(count - bytes.count))
      ahead.append(part)
    }
    return bytes
  }

  private func receive() async throws -> ByteBuffer? {
    let bytes = try await exchange.nextBytes()
    received += bytes?.readableBytes ?? 0
    return bytes
  }
}
