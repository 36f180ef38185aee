import NIOHTTP1

/// An answer that is no success, and why.
struct Refusal: Error, Sendable, Hashable {
  let status: HTTPResponseStatus
  /// One line for whoever asked: what is wrong and what is allowed.
  var message: String
  /// `WWW-Authenticate`, with a 401.
  var challenge: String?
  /// `Allow`, with a 405.
  var allow: String?
  /// `Accept-Encoding`, with a 415.
  var acceptEncoding: String?
  /// `Retry-After` in seconds, with a 503.
  var retryAfter: Int?

  init(_ status: HTTPResponseStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  static func badRequest(_ message: String) -> Refusal { Refusal(.badRequest, message) }
  static let missing = Refusal(.notFound, "Not Found")
  static let preconditionFailed = Refusal(.preconditionFailed, "Precondition Failed")

  static func tooLarge(limit: Int) -> Refusal {
    Refusal(.payloadTooLarge, "the value is larger than \(limit) bytes")
  }

  static func methodNotAllowed(_ allow: String) -> Refusal {
    var refusal = Refusal(.methodNotAllowed, "only \(allow) are allowed here")
    refusal.allow = allow
    return refusal
  }

  static let encoded: Refusal = {
    var refusal = Refusal(
      .unsupportedMediaType, "values are kept as they are sent, without their content-encoding")
    refusal.acceptEncoding = "identity"
    return refusal
  }()

  /// - Parameter error: of RFC 6750, section 3.1; nil if there was no token at all.
  static func unauthorized(_ message: String, error: String? = nil) -> Refusal {
    var refusal = Refusal(.unauthorized, message)
    refusal.challenge = #"Bearer realm="http-kvs""# + (error.map { #", error="\#($0)""# } ?? "")
    return refusal
  }
}
