import HTTPServing
import Logging
import NIOCore
import NIOHTTP1
import ObjectStore
import ServiceKit

/// The rules of http-kvs: what each request asks of the store, and how its answer looks.
struct KeyValueService: Sendable {
  let store: any ObjectStore
  let access: AccessControl
  let crossOrigin: CrossOrigin
  let readiness: Readiness
  let maximumValueBytes: Int
  let clock: WallClock
  let metrics: KeyValueMetrics
  let journal: Journal

  static let keyMethods = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
  static let readMethods = "GET, HEAD, OPTIONS"

  /// Answers one request, all faults included.
  ///
  /// - Returns: the status of the answer.
  /// - Throws: if the answer broke off, so that the connection has to end.
  func answer(_ exchange: HTTPExchange) async throws -> HTTPResponseStatus? {
    var visit = Visit(exchange)
    let start = metrics.begin()
    defer { metrics.end(visit, since: start) }
    do {
      try await answer(&visit)
      journal.note(visit, since: start)
      return visit.status
    } catch {
      visit.fault = error
      journal.note(visit, since: start)
      throw error
    }
  }

  private func answer(_ visit: inout Visit) async throws {
    do throws(Refusal) {
      visit.fields = try RequestFields(visit.exchange.request.headers)
      visit.target = try RequestTarget(parsing: visit.exchange.request.uri)
    } catch {
      return try await refuse(error, &visit)
    }
    do {
      switch (visit.target, visit.exchange.request.method) {
      case (.key, .OPTIONS), (.root, .OPTIONS), (.server, .OPTIONS), (.health, .OPTIONS),
        (.readiness, .OPTIONS):
        try await options(&visit)
      case (.key(let key), .GET): try await get(key, &visit)
      case (.key(let key), .HEAD): try await head(key, &visit)
      case (.key(let key), .PUT), (.key(let key), .POST): try await put(key, &visit)
      case (.key(let key), .DELETE): try await delete(key, &visit)
      case (.root(let query?), .GET), (.root(let query?), .HEAD): try await list(query, &visit)
      case (.root(nil), .GET), (.root(nil), .HEAD), (.root, .PUT), (.root, .POST), (.root, .DELETE):
        throw Refusal.badRequest("missing key")
      case (.health, .GET), (.health, .HEAD): try await text("OK", &visit)
      case (.readiness, .GET), (.readiness, .HEAD): try await ready(&visit)
      case (.health, _), (.readiness, _): throw Refusal.methodNotAllowed(Self.readMethods)
      default: throw Refusal.methodNotAllowed(Self.keyMethods)
      }
    } catch let refusal as Refusal {
      try await refuse(refusal, &visit)
    } catch let error as ObjectStoreError {
      try await refuse(error, &visit)
    } catch let fault as HTTPFault {
      try await refuse(fault, &visit)
    }
  }

  /// The head of an answer with what all of them have.
  func newHead(_ status: HTTPResponseStatus, _ visit: inout Visit) -> HTTPAnswerHead {
    visit.status = status
    var head = HTTPAnswerHead(status)
    crossOrigin.add(to: &head, origin: visit.fields.origin)
    return head
  }

  /// Answers with a short text.
  func text(_ text: String, etag: ETag? = nil, _ visit: inout Visit) async throws {
    var head = newHead(.ok, &visit)
    if let etag { head.add("etag", etag.description) }
    head.add("content-type", "text/plain; charset=utf-8")
    head.add("x-content-type-options", "nosniff")
    try await send(head, ByteBuffer(string: text), &visit)
  }

  func send(_ head: HTTPAnswerHead, _ content: ByteBuffer, _ visit: inout Visit) async throws {
    try await visit.exchange.answer(head, content)
    if visit.exchange.request.method != .HEAD { visit.bytesSent += content.readableBytes }
  }

  private func options(_ visit: inout Visit) async throws {
    var head = newHead(.noContent, &visit)
    switch visit.target {
    case .key, .root, .server: head.add("allow", Self.keyMethods)
    case .health, .readiness: head.add("allow", Self.readMethods)
    }
    crossOrigin.addPreflight(to: &head, origin: visit.fields.origin)
    try await visit.exchange.answer(head)
  }

  private func ready(_ visit: inout Visit) async throws {
    switch await readiness.health() {
    case .healthy: try await text("OK", &visit)
    case .unhealthy(let reason): throw Refusal(.serviceUnavailable, reason)
    }
  }
}
