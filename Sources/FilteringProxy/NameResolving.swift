import Glibc
package import IPAddresses
package import NIOCore
package import NIOPosix

/// Finds the addresses of names.
package protocol NameResolving: Sendable {
  /// In the order in which they are to be tried. Fails, or is empty, for a name that has none.
  func addresses(of name: String, on eventLoop: any EventLoop) -> EventLoopFuture<[IPAddress]>
}

/// As all programs of this machine find them: `/etc/hosts`, then DNS, as `/etc/nsswitch.conf` says.
package struct SystemResolver: NameResolving {
  private let threads: NIOThreadPool

  /// - Parameter threads: for the calls of the C library, which block.
  package init(threads: NIOThreadPool = .singleton) { self.threads = threads }

  package func addresses(
    of name: String, on eventLoop: any EventLoop
  ) -> EventLoopFuture<[IPAddress]> {
    threads.runIfActive(eventLoop: eventLoop) { try Self.lookUp(name) }
  }

  private static func lookUp(_ name: String) throws -> [IPAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(name, nil, &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard status == 0 else { throw UnknownName(reason: String(cString: gai_strerror(status))) }
    var addresses: [IPAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let address = address(of: entry), !addresses.contains(address) {
        addresses.append(address)
      }
      next = entry.ai_next
    }
    return addresses
  }

  private static func address(of entry: addrinfo) -> IPAddress? {
    let bytes = UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
    // `sockaddr_in`: family, port, address; `sockaddr_in6`: family, port, flow, address.
    switch entry.ai_family {
    case AF_INET where bytes.count >= 8: return IPAddress(bytes: Array(bytes[4..<8]))
    case AF_INET6 where bytes.count >= 24: return IPAddress(bytes: Array(bytes[8..<24]))
    default: return nil
    }
  }
}

/// A name without addresses.
struct UnknownName: Error, CustomStringConvertible {
  let reason: String

  var description: String { "the name has no address: \(reason)" }
}
