import NIOCore
import NIOSSL

import func Glibc.strerror

extension UpstreamFailure {
  /// An error of the network in words, without the names of types.
  static func sentence(for error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case ChannelError.connectTimeout: "no connection in time"
    case is NIOSSLError, is BoringSSLError: "TLS: \(error)"
    default: "\(error)"
    }
  }

  /// The reply of clients whose command could not be sent.
  func reply(_ role: UpstreamRole) -> String {
    switch self {
    case .refused(let error): error
    case .unreachable(let reason):
      "ERR redis-proxy: the command was not sent, there is no connection to the \(role.name): "
        + reason
    }
  }
}
