import NIOCore
import URIEncoding

extension RedisAddress {
  /// Reads `host`, `host:port`, `[::1]:6379`, `redis://[[user]:password@]host[:port][/database]`
  /// or the same with `rediss://` for TLS.
  ///
  /// Special characters in user and password are percent-encoded. Throws a ``RedisError`` of kind
  /// ``RedisError/Kind/configuration`` that never repeats a text that may hold a password.
  package init(parsing text: String) throws(RedisError) {
    do throws(RedisAddressFault) {
      self = try Self.parse(text)
    } catch {
      throw RedisError(
        .configuration, address: "",
        error.sentence(about: "the address", text: text.mayHoldPassword ? nil : text))
    }
  }

  /// Reads addresses separated by commas, and reports the faults of all of them together.
  ///
  /// The same server twice is a fault: a majority of servers must be a majority of machines.
  package static func list(parsing text: String) throws(RedisError) -> [RedisAddress] {
    var addresses: [RedisAddress] = []
    var faults: [String] = []
    for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      let part = part.trimmed
      do throws(RedisAddressFault) {
        let address = try parse(part)
        if addresses.contains(where: { $0.description == address.description }) {
          throw .repeated
        }
        addresses.append(address)
      } catch {
        // A comma in a password would spread it over several parts: look at the whole text.
        faults.append(
          error.sentence(about: "address \(index + 1)", text: text.mayHoldPassword ? nil : part))
      }
    }
    guard faults.isEmpty else {
      throw RedisError(.configuration, address: "", faults.joined(separator: "; "))
    }
    return addresses
  }

  private static func parse(_ text: String) throws(RedisAddressFault) -> RedisAddress {
    let text = text.trimmed
    guard !text.isEmpty else { throw .empty }
    guard let (scheme, rest) = text.splitOnce(at: "://") else {
      guard !text.contains("@") else { throw .credentialsWithoutScheme }
      guard !text.contains("/") else { throw .pathWithoutScheme }
      let (host, port) = try hostAndPort(text)
      return RedisAddress(host: host, port: port)
    }
    guard !rest.contains(where: { "?#".contains($0) }) else { throw .queryOrFragment }
    let (authority, path) = rest.splitOnce(at: "/") ?? (rest, "")
    var address = RedisAddress(host: "")
    switch scheme.lowercased() {
    case "redis": address.usesTLS = false
    case "rediss": address.usesTLS = true
    default: throw .scheme
    }
    if let at = authority.lastIndex(of: "@") {
      address.credentials = try credentials(String(authority[..<at]))
      (address.host, address.port) = try hostAndPort(
        String(authority[authority.index(after: at)...]))
    } else {
      (address.host, address.port) = try hostAndPort(authority)
    }
    if !path.isEmpty {
      guard let database = Int(path), database >= 0, path.first != "+" else { throw .database }
      address.database = database
    }
    return address
  }

  private static func credentials(
    _ text: String
  ) throws(RedisAddressFault) -> RedisCredentials {
    guard let (user, password) = text.splitOnce(at: ":") else { throw .noPassword }
    guard let user = PercentEncoding.decodeText(user.utf8),
      let password = PercentEncoding.decodeText(password.utf8)
    else {
      throw .percentEncoding
    }
    guard !password.isEmpty else { throw .noPassword }
    return RedisCredentials(username: user.isEmpty ? nil : user, password: password)
  }

  private static func hostAndPort(_ text: String) throws(RedisAddressFault) -> (String, Int) {
    if text.first == "[" {
      guard let (host, rest) = String(text.dropFirst()).splitOnce(at: "]") else { throw .brackets }
      guard host.contains(":"), (try? SocketAddress(ipAddress: host, port: 0)) != nil else {
        throw .brackets
      }
      guard !rest.isEmpty else { return (host, defaultPort) }
      guard rest.first == ":" else { throw .brackets }
      return (host, try port(String(rest.dropFirst())))
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2 else { throw .bareIPv6 }
    let host = parts[0]
    guard !host.isEmpty else { throw .noHost }
    guard host.utf8.count <= 253, host.utf8.allSatisfy(\.isHostCharacter) else { throw .host }
    return (host, parts.count == 2 ? try port(parts[1]) : defaultPort)
  }

  private static func port(_ text: String) throws(RedisAddressFault) -> Int {
    guard let port = Int(text), (1...65535).contains(port), text.first != "+" else { throw .port }
    return port
  }
}

extension String {
  /// Also where a URL is cut off: better no text in a message than half a password.
  fileprivate var mayHoldPassword: Bool { contains("@") || contains("://") }
}

extension UInt8 {
  fileprivate var isHostCharacter: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
