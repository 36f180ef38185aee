import Glibc
import ServiceKit

/// Connects to abstract Unix sockets (unix(7)).
///
/// Their names end where the address does. SwiftNIO passes an address of full size, in which the
/// name goes on with zeros: that is another name.
enum AbstractSocket {
  /// A connected, non-blocking descriptor, which the caller closes.
  ///
  /// - Parameter name: without the leading zero byte.
  static func connect(to name: String) throws(FatalError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw failure(name) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = [0] + Array(name.utf8)
    guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else {
      close(descriptor)
      throw FatalError("the name of unix:@\(name) is too long", code: .addressUnavailable)
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, length)
      }
    }
    guard result == 0 else {
      let error = failure(name)
      close(descriptor)
      throw error
    }
    return descriptor
  }

  private static func failure(_ name: String) -> FatalError {
    FatalError(
      "no sidecar answers at unix:@\(name): \(reason(errno))", code: .addressUnavailable)
  }

  /// Why connecting failed, for messages.
  static func reason(_ code: Int32) -> String {
    code == ECONNREFUSED || code == ENOENT
      ? "nobody listens there" : String(cString: strerror(code))
  }
}
