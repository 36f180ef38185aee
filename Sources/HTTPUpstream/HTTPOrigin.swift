import NIOCore

/// A server: scheme, host and port, as the authority of an address names it.
package struct HTTPOrigin: Sendable, Hashable, CustomStringConvertible {
  package let usesTLS: Bool
  /// A DNS name or an IP address, IPv6 without brackets.
  package let host: String
  package let port: Int

  package init(usesTLS: Bool, host: String, port: Int? = nil) {
    self.usesTLS = usesTLS
    self.host = host
    self.port = port ?? (usesTLS ? 443 : 80)
  }

  /// Reads `http://host:port/path` or `https://…`.
  ///
  /// - Returns: nil unless it is one, without user, query and fragment; else the origin and the
  ///   path without a slash at its end, empty if there is none.
  package static func parse(_ text: String) -> (origin: HTTPOrigin, path: String)? {
    var rest = Substring(text)
    let usesTLS: Bool
    if rest.lowercased().hasPrefix("https://") {
      usesTLS = true
      rest = rest.dropFirst(8)
    } else if rest.lowercased().hasPrefix("http://") {
      usesTLS = false
      rest = rest.dropFirst(7)
    } else {
      return nil
    }
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      !rest.contains(where: { "?#@".contains($0) })
    else { return nil }
    let authority = rest.prefix { $0 != "/" }
    var path = rest[authority.endIndex...]
    while path.last == "/" { path = path.dropLast() }
    guard let (host, port) = split(authority) else { return nil }
    return (HTTPOrigin(usesTLS: usesTLS, host: host, port: port), String(path))
  }

  private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
    var host = authority
    var port: Int?
    let afterAddress = authority.lastIndex(of: "]") ?? authority.startIndex
    if let colon = authority[afterAddress...].lastIndex(of: ":") {
      let digits = authority[authority.index(after: colon)...]
      guard let number = Int(digits), (1...65535).contains(number) else { return nil }
      port = number
      host = authority[..<colon]
    }
    if host.first == "[" {
      guard host.last == "]" else { return nil }
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    return host.isEmpty ? nil : (String(host), port)
  }

  /// Host and port as the `Host` field has them: without the port where it is the scheme's.
  package var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (usesTLS ? 443 : 80) ? name : "\(name):\(port)"
  }

  package var description: String { "\(usesTLS ? "https" : "http")://\(authority)" }

  /// Whether the host is an address: those are verified without being sent as a server name.
  var isAddress: Bool { (try? SocketAddress(ipAddress: host, port: port)) != nil }
}
