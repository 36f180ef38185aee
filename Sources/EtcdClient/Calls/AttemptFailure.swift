import GRPCCore

/// Why one member gave no answer to a call.
struct AttemptFailure: Error {
  enum Kind {
    /// It may be another's turn: the member is away, silent, or has no leader.
    case passing
    /// The time of the attempt was up.
    case timedOut
    case cancelled
    /// The token that was sent is unknown or too old there.
    case tokenRefused
    /// An answer that any other member would give too.
    case final(EtcdError.Kind)
  }

  let kind: Kind
  let reason: String
  /// The request was on its way.
  let mayHaveRun: Bool

  init(_ kind: Kind, _ reason: String, mayHaveRun: Bool) {
    self.kind = kind
    self.reason = reason
    self.mayHaveRun = mayHaveRun
  }

  /// What a member, or the connection to it, said instead of an answer.
  ///
  /// - Parameter wasSent: whether the request was on its way by then.
  init(code: Status.Code, message: String, cause: (any Error)? = nil, wasSent: Bool) {
    // The library's own words for "not connected" only stand in front of the reason.
    let message = message.replacing(
      "Channel is in a transient failure state and 'wait for ready' isn't enabled. ", with: "")
    let reason = cause.map { "\(message): \($0)" } ?? message
    // https://github.com/etcd-io/etcd/blob/main/api/v3rpc/rpctypes/error.go
    let kind: Kind =
      switch code {
      case .unavailable, .deadlineExceeded, .cancelled, .internalError, .unknown, .aborted,
        .dataLoss:
        .passing
      case .resourceExhausted:
        message.contains("database space exceeded")
          ? .final(.noSpace)
          : message.contains("too many requests") ? .passing : .final(.refused)
      case .unauthenticated: .tokenRefused
      case .invalidArgument
      where message.contains("user name is empty")
        || message.contains("revision of auth store is old"):
        .tokenRefused
      case .invalidArgument where message.contains("authentication failed"): .final(.denied)
      case .permissionDenied: .final(.denied)
      case .notFound where message.contains("lease not found"): .final(.leaseNotFound)
      case .failedPrecondition where message.contains("lease already exists"):
        .final(.leaseExists)
      case .outOfRange where message.contains("compacted"): .final(.compacted(oldest: 0))
      default: .final(.refused)
      }
    let isRefusal = if case .final = kind { true } else { false }
    let isTokenRefused = if case .tokenRefused = kind { true } else { false }
    self.init(
      kind, String(reason.prefix(500)), mayHaveRun: wasSent && !isRefusal && !isTokenRefused)
  }
}
