import Glibc
import Synchronization

/// A socket that is bound, so that its address is known and taken, but does not accept yet.
///
/// It closes itself when it goes away, unless ``take()`` handed the descriptor over.
package final class ListenSocket: Sendable {
  /// Where it is bound; port 0 has become the port that the kernel chose.
  package let address: ListenAddress

  private let descriptor: Mutex<Int32?>

  /// - Parameter option: the command-line option that names the address, for messages.
  package init(_ address: ListenAddress, option: String?) throws(FatalError) {
    let binding = Binding(address: address, option: option)
    let bound: (descriptor: Int32, port: Int?) =
      switch address {
      case .tcp(let host, let port): try binding.bind(host: host, port: port)
      case .unix(let path): (try binding.bind(path: path), nil)
      case .abstract(let name): (try binding.bind(socketName: [0] + name.utf8), nil)
      }
    descriptor = Mutex(bound.descriptor)
    if case .tcp(let host, _) = address, let port = bound.port {
      self.address = .tcp(host: host, port: port)
    } else {
      self.address = address
    }
  }

  deinit { if let descriptor = take() { close(descriptor) } }

  /// Hands the descriptor over to the caller, who then owns it; `nil` if somebody has it already.
  package func take() -> Int32? {
    descriptor.withLock { descriptor in
      defer { descriptor = nil }
      return descriptor
    }
  }

  /// Deletes the file of a Unix socket.
  package func removeFile() { if case .unix(let path) = address { unlink(path) } }
}

/// One attempt to bind an address, and the words for its failure.
private struct Binding {
  let address: ListenAddress
  let option: String?

  func bind(host: String, port: Int) throws(FatalError) -> (Int32, Int?) {
    // Without a host: IPv6 with IPv4 mapped into it, or IPv4 where there is no IPv6.
    let hosts = host.isEmpty ? ["::", "0.0.0.0"] : [host]
    var code: Int32 = 0
    for host in hosts {
      var hints = addrinfo()
      hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
      var list: UnsafeMutablePointer<addrinfo>?
      let result = getaddrinfo(host, port.description, &hints, &list)
      guard result == 0, let first = list else {
        throw FatalError(
          "cannot listen on \(address): the host is unknown (\(String(cString: gai_strerror(result))))"
            + remedy, code: .addressUnavailable)
      }
      defer { freeaddrinfo(first) }
      do {
        let descriptor = try bind(
          family: first.pointee.ai_family, first.pointee.ai_addr, first.pointee.ai_addrlen)
        return (descriptor, Self.port(of: descriptor))
      } catch {
        code = error.code
      }
      guard code == EAFNOSUPPORT || code == EADDRNOTAVAIL else { break }
    }
    throw failure(code)
  }

  /// Binds a socket file, in place of one that nobody listens on any more.
  func bind(path: String) throws(FatalError) -> Int32 {
    let name = Array(path.utf8) + [0]
    if case .refused = connect(to: name) { unlink(path) }
    return try bind(socketName: name)
  }

  func bind(socketName name: [UInt8]) throws(FatalError) -> Int32 {
    do {
      return try withUnixAddress(name) { (pointer, length) throws(Failure) in
        try bind(family: AF_UNIX, pointer, length)
      }
    } catch {
      throw failure(error.code)
    }
  }

  private struct Failure: Error { let code: Int32 }

  private enum Peer { case refused, other }

  private func connect(to name: [UInt8]) -> Peer {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return .other }
    defer { close(descriptor) }
    let result = withUnixAddress(name) { Glibc.connect(descriptor, $0, $1) }
    return result != 0 && errno == ECONNREFUSED ? .refused : .other
  }

  private func bind(
    family: Int32, _ pointer: UnsafePointer<sockaddr>, _ length: socklen_t
  ) throws(Failure) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw Failure(code: errno) }
    if family != AF_UNIX {
      var on: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    // Listening at once makes a port in use show here: with SO_REUSEADDR two sockets can be bound.
    guard Glibc.bind(descriptor, pointer, length) == 0, listen(descriptor, 128) == 0 else {
      let code = errno
      close(descriptor)
      throw Failure(code: code)
    }
    return descriptor
  }

  private func failure(_ code: Int32) -> FatalError {
    switch code {
    case EADDRINUSE:
      FatalError(
        "\(address) is in use: stop the process that listens there, or choose another address"
          + with, code: .addressInUse)
    case EACCES, EPERM:
      FatalError(
        "cannot listen on \(address): permission denied" + remedy, code: .addressUnavailable)
    case EADDRNOTAVAIL:
      FatalError(
        "cannot listen on \(address): this machine has no such address" + remedy,
        code: .addressUnavailable)
    default:
      FatalError(
        "cannot listen on \(address): \(SystemError.text(code))" + remedy,
        code: .addressUnavailable)
    }
  }

  private var with: String { option.map { " with --\($0)" } ?? "" }
  private var remedy: String { "; choose another address" + with }

  private static func port(of descriptor: Int32) -> Int? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int? in
        guard getsockname(descriptor, address, &length) == 0 else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
          return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            Int(UInt16(bigEndian: $0.pointee.sin_port))
          }
        case AF_INET6:
          return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
            Int(UInt16(bigEndian: $0.pointee.sin6_port))
          }
        default: return nil
        }
      }
    }
  }
}

/// Passes the address of a Unix socket: a path that ends with 0, or an abstract name after a 0.
///
/// - Parameter name: at most 108 bytes; an abstract name is as long as its bytes say (unix(7)).
func withUnixAddress<Result, Failure: Error>(
  _ name: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Failure) -> Result
) throws(Failure) -> Result {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  let room = MemoryLayout.size(ofValue: address.sun_path)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name.prefix(room)) }
  let length = MemoryLayout<sa_family_t>.size + min(name.count, room)
  // Typed throws do not pass through withUnsafePointer(to:) with rebinding: the copy below lives
  // until the call returns.
  let pointer = UnsafeMutablePointer<sockaddr_un>.allocate(capacity: 1)
  pointer.initialize(to: address)
  defer { pointer.deallocate() }
  return try body(
    UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), socklen_t(length))
}
