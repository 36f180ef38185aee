import AdmissionReview
import Coordination
import CoreMetrics
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import ServiceKit

/// `POST /mutate`: reads an AdmissionReview, asks for a verdict, writes the answer in time.
struct WebhookEndpoint: Sendable {
  static let path = "/mutate"
  /// The largest body that is read: a Pod has at most some MiB in etcd.
  static let bodyLimit = 8 << 20
  /// For the bodies of all requests together; reading one takes about four times its size.
  static let bodyBudget = 24 << 20
  /// What the API server waits when it does not say.
  static let defaultTimeout = Duration.seconds(10)

  let admission: PodAdmission
  let time: any MonotonicTime
  let metrics: WebhookMetrics
  let logger: Logger
  let tracer: OTLPTracer
  private let budget = BodyBudget(bytes: bodyBudget)
  /// Whether spans go anywhere.
  let isTracing: Bool

  init(admission: PodAdmission, time: any MonotonicTime, telemetry: Telemetry) {
    self.admission = admission
    self.time = time
    metrics = WebhookMetrics()
    logger = telemetry.logger
    tracer = telemetry.tracer
    isTracing = telemetry.exporter != nil
  }

  /// An answer to something that is no admission request.
  private struct Fault: Error {
    let status: HTTPResponse.Status
    let message: String
  }

  /// A response, and what to do if it does not reach the caller.
  struct Answer: Sendable {
    let response: Response
    fileprivate let claim: (key: NamespacedKey, token: Token)?
  }

  /// Nobody got the answer, so nobody will start the Pod.
  func takeBack(_ answer: Answer) {
    guard let claim = answer.claim else { return }
    admission.claims.giveBack(claim.key, token: claim.token)
  }

  func answer(to request: Request) async -> Answer {
    let start = time.now
    do throws(Fault) {
      let deadline = start + Self.timeLimit(query: request.uri.query)
      let length = try bodyLength(request)
      guard budget.reserve(length) else {
        throw Fault(status: .serviceUnavailable, message: "too many large requests at once")
      }
      defer { budget.giveBack(length) }
      let review = try await read(request, deadline: deadline)
      let verdict = await decide(request, review, deadline: deadline)
      metrics.record(verdict.outcome, time.now - start)
      let response = Self.response(
        .ok, "application/json", ByteBuffer(bytes: verdict.response.encoded(uid: review.uid)))
      guard let key = verdict.key, let token = verdict.claim else {
        return Answer(response: response, claim: nil)
      }
      return Answer(response: response, claim: (key, token))
    } catch {
      metrics.malformed.increment()
      logger.notice(
        "request refused",
        metadata: ["status": "\(error.status.code)", "reason": "\(error.message)"])
      let text = ByteBuffer(string: error.message + "\n")
      return Answer(response: Self.response(error.status, "text/plain", text), claim: nil)
    }
  }

  /// Looks at the head of a request.
  /// - Returns: the most bytes that its body may have.
  private func bodyLength(_ request: Request) throws(Fault) -> Int {
    guard request.uri.path == Self.path else {
      throw Fault(status: .notFound, message: "only \(Self.path) is served here")
    }
    guard request.method == .post else {
      throw Fault(status: .methodNotAllowed, message: "only POST is allowed")
    }
    let type = request.headers[.contentType] ?? ""
    guard
      type == "application/json"
        || type.prefix(while: { $0 != ";" }).lowercased() == "application/json"
    else {
      throw Fault(status: .badRequest, message: "content type must be application/json")
    }
    guard let length = request.headers[.contentLength].flatMap({ Int($0) }) else {
      return Self.bodyLimit
    }
    guard length <= Self.bodyLimit else { throw Self.tooLarge }
    return max(length, 0)
  }

  private static let tooLarge = Fault(
    status: .contentTooLarge, message: "the body is larger than \(bodyLimit) bytes")

  private func read(
    _ request: Request, deadline: Duration
  ) async throws(Fault) -> AdmissionRequest {
    var body = ByteBuffer()
    do {
      for try await chunk in request.body {
        guard body.readableBytes + chunk.readableBytes <= Self.bodyLimit else {
          throw Self.tooLarge
        }
        guard time.now < deadline else {
          throw Fault(status: .requestTimeout, message: "the body did not arrive in time")
        }
        if body.readableBytes == 0 { body = chunk } else { body.writeImmutableBuffer(chunk) }
      }
    } catch {
      throw error as? Fault ?? Fault(status: .badRequest, message: "the body did not arrive")
    }
    do throws(AdmissionReviewError) {
      return try AdmissionRequest(parsing: Array(body.readableBytesView))
    } catch {
      throw Fault(status: .badRequest, message: error.description)
    }
  }

  private static let defaultTimeLimit = lessMargin(defaultTimeout)

  private static func lessMargin(_ timeout: Duration) -> Duration {
    timeout - min(timeout / 10, .milliseconds(500))
  }

  /// What the API server waits (`?timeout=10s`), less a tenth for the way back.
  static func timeLimit(query: String?) -> Duration {
    var timeout = defaultTimeout
    // What API servers send when nothing else is configured.
    if query == "timeout=10s" { return defaultTimeLimit }
    for parameter in (query ?? "").split(separator: "&") where parameter.hasPrefix("timeout=") {
      if let stated = Duration(text: String(parameter.dropFirst("timeout=".count))),
        stated > .zero
      {
        timeout = min(stated, .seconds(30))
      }
    }
    return lessMargin(timeout)
  }

  private static func response(
    _ status: HTTPResponse.Status, _ type: String, _ body: ByteBuffer
  ) -> Response {
    Response(
      status: status,
      headers: [.contentType: type, .contentLength: String(body.readableBytes)],
      body: ResponseBody(byteBuffer: body))
  }
}
