import ObjectStore
import URIEncoding

/// What a request is about.
enum RequestTarget: Hashable {
  case key(ObjectKey)
  /// `/` and its query, if it has one.
  case root(query: String?)
  /// `/healthz`
  case health
  /// `/readyz`
  case readiness
  /// `*`: the server itself, for OPTIONS.
  case server

  /// - Parameter text: as it stands in the request line, in origin or absolute form (RFC 9112,
  ///   section 3.2).
  init(parsing text: String) throws(Refusal) {
    if text == "*" {
      self = .server
      return
    }
    let rest = try Self.path(of: text)
    let path: Substring
    var query: Substring?
    if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
      path = rest[..<mark]
      query = rest[rest.utf8.index(after: mark)...]
    } else {
      path = rest
    }
    if path.isEmpty {
      self = .root(query: query.flatMap { $0.isEmpty ? nil : String($0) })
      return
    }
    let key = try Self.key(path)
    guard query == nil else {
      throw .badRequest("a key has no parameters: as part of a key, ? is written %3F")
    }
    switch key.text {
    case "healthz": self = .health
    case "readyz": self = .readiness
    default: self = .key(key)
    }
  }

  /// What follows the first slash of the path.
  private static func path(of text: String) throws(Refusal) -> Substring {
    // Byte by byte: a combining letter behind a slash would be one character with it.
    let bytes = text.utf8
    let slash = UInt8(ascii: "/")
    if bytes.first == slash { return Substring(bytes.dropFirst()) }
    // As proxies are asked; the authority is whatever the connection led to.
    for scheme in ["http://", "https://"]
    where scheme.isSameIgnoringCase(Substring(bytes.prefix(scheme.utf8.count))) {
      let rest = bytes.dropFirst(scheme.utf8.count)
      guard let end = rest.firstIndex(where: { $0 == slash || $0 == UInt8(ascii: "?") }) else {
        return ""
      }
      return Substring(rest[end] == slash ? rest[end...].dropFirst() : rest[end...])
    }
    throw .badRequest("the target of the request is not a path")
  }

  private static func key(_ path: Substring) throws(Refusal) -> ObjectKey {
    var bytes = Array(path.utf8)
    if bytes.contains(UInt8(ascii: "#")) {
      throw .badRequest("as part of a key, # is written %23")
    }
    // What is no UTF-8 has become U+FFFD on the way here: a key that holds one has to escape it.
    if bytes.contains(0xef), path.unicodeScalars.contains("\u{FFFD}") {
      throw .badRequest("the key is not UTF-8, or holds U+FFFD without an escape")
    }
    if bytes.contains(UInt8(ascii: "%")) {
      guard let decoded = PercentEncoding.decode(bytes) else {
        throw .badRequest("the key has a % that is not followed by two hexadecimal digits")
      }
      bytes = decoded
    }
    do throws(InvalidKey) {
      return try ObjectKey(bytes)
    } catch {
      throw .badRequest(error.description)
    }
  }
}
