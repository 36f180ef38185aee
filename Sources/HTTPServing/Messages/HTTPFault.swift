/// Why a request or its answer did not get through to the end.
package enum HTTPFault: Error, Sendable, Hashable {
  /// The connection is gone.
  case closed
  /// The client ended its side before the body was whole.
  case brokenOff
  /// The body is not framed as HTTP/1.1 wants it.
  case malformed
  /// The client sent nothing for too long.
  case timedOut
  /// The answer has more or fewer bytes than its head promised: a fault of the service.
  case wrongLength
}
