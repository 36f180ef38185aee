import FoundationEssentials
import URIEncoding

/// Where the metrics of one exporter are.
package enum SourceAddress: Hashable, Sendable {
  /// - Parameters:
  ///   - url: without user info and fragment.
  ///   - authorization: the value of the header, from the user info; a secret.
  case http(url: String, authorization: String?)
  /// HTTP over a Unix socket; `target` is the path of the metrics, with its query.
  case unix(socket: String, target: String)
  /// A file in text format or OpenMetrics.
  case file(path: String)

  /// What ``init(_:)`` accepts, for messages.
  package static let syntax =
    "http://host:port/path, https://…, unix:/socket, unix:/socket:/path or file:/path"

  /// Reads ``syntax``; `nil` if the text is nothing of it.
  package init?(_ text: String) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), text.utf8.count <= 4096,
      let colon = text.firstIndex(of: ":")
    else { return nil }
    let rest = text[text.index(after: colon)...]
    switch text[..<colon].lowercased() {
    case "http", "https": self.init(scheme: text[..<colon].lowercased(), rest)
    case "unix":
      let path = Self.path(rest)
      let socket = path.prefix { $0 != ":" }
      let target = path[socket.endIndex...].dropFirst()
      // The kernel takes no longer ones (`sun_path`).
      guard socket.hasPrefix("/"), (2...107).contains(socket.utf8.count),
        target.isEmpty || target.hasPrefix("/")
      else { return nil }
      self = .unix(socket: String(socket), target: target.isEmpty ? "/metrics" : String(target))
    case "file":
      let path = Self.path(rest)
      guard path.hasPrefix("/"), path.utf8.count > 1 else { return nil }
      self = .file(path: String(path))
    default: return nil
    }
  }

  private init?(scheme: String, _ rest: Substring) {
    guard rest.hasPrefix("//") else { return nil }
    let rest = rest.dropFirst(2).prefix { $0 != "#" }
    let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
    var authority = rest[..<end]
    var authorization: String?
    if let at = authority.lastIndex(of: "@") {
      guard var user = PercentEncoding.decode(authority[..<at].utf8) else { return nil }
      // RFC 7617: the colon is there even if the password is empty.
      if !authority[..<at].contains(":") { user.append(UInt8(ascii: ":")) }
      authorization = "Basic " + Data(user).base64EncodedString()
      authority = authority[authority.index(after: at)...]
    }
    guard Self.isHostAndPort(authority), rest[end...].utf8.allSatisfy({ $0 < 0x80 }) else {
      return nil
    }
    let target = rest[end...].hasPrefix("/") ? rest[end...] : "/" + rest[end...]
    self = .http(url: "\(scheme)://\(authority)\(target)", authorization: authorization)
  }

  /// What stands for the source in labels and logs: no user info and no query.
  package var label: String {
    switch self {
    case .http(let url, _): String(url.prefix { $0 != "?" })
    case .unix(let socket, let target):
      "unix:\(socket):" + String(target.prefix { $0 != "?" })
    case .file(let path): "file:\(path)"
    }
  }

  /// Whether it is on this machine, where packing costs more than it saves.
  var isLocal: Bool {
    guard case .http(let url, _) = self else { return true }
    let authority = url.drop { $0 != "/" }.dropFirst(2)
    return ["localhost", "127.", "[::1]"].contains { authority.hasPrefix($0) }
  }

  /// `///path` and `/path` are the same file.
  private static func path(_ text: Substring) -> Substring {
    text.hasPrefix("///") ? text.dropFirst(2) : text
  }

  private static func isHostAndPort(_ authority: Substring) -> Bool {
    var host = authority
    let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
    if let colon = authority[bracket...].lastIndex(of: ":") {
      guard let port = Int(authority[authority.index(after: colon)...]),
        (1...65535).contains(port)
      else { return false }
      host = authority[..<colon]
    }
    if host.hasPrefix("[") {
      return host.hasSuffix("]")
        && host.dropFirst().dropLast().allSatisfy {
          $0.isHexDigit || $0 == ":" || $0 == "."
        }
    }
    return !host.isEmpty
      && host.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
