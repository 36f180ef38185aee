import Glibc
import Synchronization

/// TCP ports that nobody on this machine uses.
///
/// They lie below the range from which the system takes the ports of outgoing connections, so none
/// is snatched by one. Another process may still take a port between choice and use: servers that
/// find theirs taken are started again with the next.
package enum FreePort {
  private static let given = Mutex<Set<Int>>([])

  /// A port free on all addresses, not given before by this process.
  package static func next() throws -> Int {
    for _ in 0..<1000 {
      let port = Int.random(in: 10_240..<32_000)
      if given.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
    }
    throw LocalServersError(.system, "no free TCP port was found between 10240 and 32000")
  }

  private static func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = INADDR_ANY
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
