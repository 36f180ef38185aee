import HTTPUpstream

/// An attempt that did not get an answer that counts.
struct S3Trouble: Error {
  /// As what it is reported if it stays.
  let kind: ObjectStoreError.Kind
  let message: String
  /// Whether another attempt may find the server well.
  var isTemporary = false
  /// Whether the server may have done what was asked.
  var mayHaveRun = false
  var wantsNewCredentials = false
  var cause: (any Error)?

  init(_ kind: ObjectStoreError.Kind, _ message: String, cause: (any Error)? = nil) {
    self.kind = kind
    self.message = message
    self.cause = cause
  }

  init(_ error: HTTPUpstreamError) {
    let kind: ObjectStoreError.Kind =
      switch error.kind {
      case .cancelled: .cancelled
      case .busy: .busy
      default: .unavailable
      }
    self.init(kind, error.description, cause: error)
    isTemporary = ![.configuration, .shutDown, .cancelled].contains(error.kind)
    mayHaveRun = error.mayHaveRun
  }

  /// With these S3 says that it did not begin.
  private static let refusalsToBegin: Set<String> = [
    "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests",
    "TooManyRequestsException", "RequestLimitExceeded", "ReduceYourRequestRate",
  ]

  /// Nil if the answer counts.
  init?(_ answer: S3Answer, region: String) {
    let code = answer.error.code
    let text = "status \(answer.status)\(code.isEmpty ? "" : ", \(code)")"
    switch (answer.status, code) {
    case (503, _), (429, _), (_, "SlowDown"), (_, "ServiceUnavailable"), (_, "Throttling"):
      self.init(.busy, "the server asks for a pause (\(text))")
      isTemporary = true
      // A balancer may say so of a server that went away in the middle of its work.
      mayHaveRun = !Self.refusalsToBegin.contains(code)
    case (500..., _), (408, _), (_, "RequestTimeout"), (_, "InternalError"):
      self.init(.unavailable, "the server is in trouble (\(text))")
      isTemporary = answer.status != 501
      mayHaveRun = answer.status != 408 && answer.status != 501
    case (409, "ConditionalRequestConflict"), (409, "OperationAborted"):
      self.init(.busy, "somebody else writes the same object (\(text))")
      isTemporary = true
    case (_, "ExpiredToken"), (_, "TokenRefreshRequired"), (_, "InvalidToken"),
      (403, "InvalidAccessKeyId"):
      self.init(.denied, "the server does not take the credentials (\(text))")
      isTemporary = true
      wantsNewCredentials = true
    case (_, "SignatureDoesNotMatch"), (_, "AuthorizationHeaderMalformed"), (401, _):
      self.init(
        .denied,
        "the server does not take the signature (\(text)): check the secret key and the "
          + "region, now \(region). \(answer.error.message)")
    case (_, "RequestTimeTooSkewed"):
      self.init(.denied, "this machine's clock and the server's differ too much (\(text))")
    case (301, _), (307, _):
      let home = answer.header("x-amz-bucket-region") ?? "another region"
      self.init(.unavailable, "the bucket is in \(home), and not in \(region): set AWS_REGION")
    case (404, "NoSuchBucket"):
      self.init(.unavailable, "there is no such bucket (\(text))")
    default: return nil
    }
  }
}

extension S3ErrorDocument {
  /// The status that this error has where it is not found out too late to say so.
  var likelyStatus: Int {
    switch code {
    case "PreconditionFailed": 412
    case "ConditionalRequestConflict", "OperationAborted": 409
    case "SlowDown", "ServiceUnavailable": 503
    case "NoSuchUpload", "NoSuchKey", "NoSuchBucket": 404
    case "AccessDenied": 403
    case "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML": 400
    default: 500
    }
  }
}
