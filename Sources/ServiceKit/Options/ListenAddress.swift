/// Where a server listens.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// A TCP port; an empty host means all interfaces, port 0 any free port.
  case tcp(host: String, port: Int)
  /// A Unix socket file.
  case unix(path: String)
  /// A Unix socket without a file, Linux only: it ends with its process.
  case abstract(name: String)

  /// What ``init(_:)`` accepts, for messages.
  package static let syntax = "host:port, [::1]:port, :port, unix:/path or unix:@name"

  /// The longest path or name that the kernel takes (`sun_path`), in bytes.
  private static let longestPath = 107

  /// Reads ``syntax``; `nil` if the text is nothing of it.
  package init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = text.dropFirst("unix:".count)
      guard path.utf8.count <= Self.longestPath, !path.utf8.contains(0) else { return nil }
      if path.hasPrefix("@"), path.utf8.count > 1 {
        self = .abstract(name: String(path.dropFirst()))
      } else if path.hasPrefix("/"), path.utf8.count > 1 {
        self = .unix(path: String(path))
      } else {
        return nil
      }
      return
    }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = Int(digits), (0...65535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(where: { ":[]".contains($0) }) {
      return nil
    }
    guard !host.contains(where: \.isWhitespace), !host.contains("/") else { return nil }
    self = .tcp(host: String(host), port: port)
  }

  /// The text that ``init(_:)`` reads as this address.
  package var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    case .abstract(let name): "unix:@\(name)"
    }
  }

  /// The TCP port; `nil` for Unix sockets.
  package var port: Int? { if case .tcp(_, let port) = self { port } else { nil } }
}
