import HTTPServing
import JSON
import NIOCore
import NIOHTTP1
import ObjectStore

extension KeyValueService {
  /// Answers with what went wrong: one line of text, or a JSON object if the client asks for JSON.
  func refuse(
    _ refusal: Refusal, _ visit: inout Visit, _ addFields: (inout HTTPAnswerHead) -> Void = { _ in }
  ) async throws {
    var head = newHead(refusal.status, &visit)
    addFields(&head)
    if let challenge = refusal.challenge { head.add("www-authenticate", challenge) }
    if let allow = refusal.allow { head.add("allow", allow) }
    if let encoding = refusal.acceptEncoding { head.add("accept-encoding", encoding) }
    if let seconds = refusal.retryAfter { head.add("retry-after", seconds) }
    head.add("x-content-type-options", "nosniff")
    let content: ByteBuffer
    if visit.fields.wantsJSON {
      head.add("content-type", "application/json")
      var writer = JSONWriter()
      writer.object { writer in
        writer.field("status", refusal.status.code)
        writer.field("error", refusal.message)
      }
      content = ByteBuffer(bytes: writer.bytes)
    } else {
      head.add("content-type", "text/plain; charset=utf-8")
      content = ByteBuffer(string: refusal.message)
    }
    try await send(head, content, &visit)
  }

  /// The store did not do it. After the head of an answer there is nothing left but to break off:
  /// no client takes a part for the whole.
  func refuse(_ error: ObjectStoreError, _ visit: inout Visit) async throws {
    if case .sourceFailed = error.kind, let fault = error.cause as? HTTPFault {
      return try await refuse(fault, &visit)
    }
    metrics.count(error.kind)
    journal.note(error, visit)
    guard visit.exchange.takeBack() else { throw error }
    visit.bytesSent = 0
    try await refuse(Refusal(error, maximumValueBytes: maximumValueBytes), &visit)
  }

  /// The request did not come to its end, or the answer did not get through.
  func refuse(_ fault: HTTPFault, _ visit: inout Visit) async throws {
    guard visit.exchange.takeBack() else { throw fault }
    let refusal: Refusal =
      switch fault {
      case .closed, .wrongLength: throw fault
      case .brokenOff, .malformed: .badRequest("the body is not whole: nothing was stored")
      case .timedOut: Refusal(.requestTimeout, "the body did not come: nothing was stored")
      }
    try await refuse(refusal, &visit)
  }
}

extension Refusal {
  /// What a failure of the store is to a client. Names of servers, paths and accounts are for the
  /// log.
  init(_ error: ObjectStoreError, maximumValueBytes: Int) {
    self =
      switch error.kind {
      case .conditionFailed: .preconditionFailed
      case .tooLarge: .tooLarge(limit: maximumValueBytes)
      case .sourceFailed: .badRequest("the body is not whole: nothing was stored")
      case .full: Refusal(.insufficientStorage, "the store is full: nothing was stored")
      // The credentials are this program's, not the client's: no 401 or 403.
      case .denied: Refusal(.badGateway, "the store refuses this service: see its log")
      case .unavailable: Refusal(.serviceUnavailable, "the store does not answer")
      case .busy: Refusal(.serviceUnavailable, "the store is busy")
      case .cancelled: Refusal(.serviceUnavailable, "the service is stopping")
      case .corrupt: Refusal(.internalServerError, "the value is damaged")
      }
    if status == .serviceUnavailable { retryAfter = 1 }
    if error.mayHaveRun { message += "; the change may have been made, or may yet be" }
  }
}
