import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Turns what the network stack throws into one line that a reader can act on.
enum ConnectFailure {
  static func describe(_ error: any Error, address: RedisAddress) -> RedisError {
    if let error = error as? RedisError { return error }
    let kind: RedisError.Kind = isTimeout(error) ? .timedOut : .notConnected
    return RedisError(kind, address: address.description, sentence(for: error), cause: nil)
  }

  static func closedDuringGreeting(address: String) -> RedisError {
    RedisError(
      .connectionClosed, address: address,
      "connected, but the server closed the connection before it answered "
        + "(too many clients, protected mode, or TLS on one side only?)")
  }

  private static func isTimeout(_ error: any Error) -> Bool {
    if case .connectTimeout = error as? ChannelError { true } else { false }
  }

  private static func sentence(for error: any Error) -> String {
    switch error {
    case let error as IOError: return sentence(errno: error.errnoCode)
    case let error as NIOConnectionError: return sentence(for: error)
    case is NIOSSLError, is BoringSSLError: return tlsSentence(for: "\(error)")
    case ChannelError.connectTimeout(let limit):
      return "no TCP connection within \(Duration(limit))"
    case is CancellationError: return "the attempt was cancelled"
    default: return "\(error)"
    }
  }

  /// BoringSSL names the fault between its own name and a line of its sources.
  private static func tlsSentence(for text: String) -> String {
    guard let name = text.firstRange(of: "OPENSSL_internal:") else { return "TLS: \(text)" }
    let fault = text[name.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    return fault == "CERTIFICATE_VERIFY_FAILED"
      ? "TLS: the server's certificate is not signed by a known authority (\(fault))"
      : "TLS: the handshake failed (\(fault))"
  }

  private static func sentence(for error: NIOConnectionError) -> String {
    var sentences: [String] = []
    for failure in error.connectionErrors {
      let sentence = sentence(for: failure.error)
      if !sentences.contains(sentence) { sentences.append(sentence) }
    }
    guard sentences.isEmpty else { return sentences.joined(separator: ", ") }
    return "cannot resolve the name \(error.host)"
  }

  private static func sentence(errno code: CInt) -> String {
    switch code {
    case ECONNREFUSED: "connection refused"
    case ECONNRESET: "connection reset by peer"
    case EPIPE: "connection closed by peer"
    case ETIMEDOUT: "no answer from the host"
    case EHOSTUNREACH: "no route to the host"
    case ENETUNREACH: "network unreachable"
    case EADDRNOTAVAIL: "no local address or port left"
    case EMFILE, ENFILE: "too many open files"
    default: "system error \(code)"
    }
  }
}
